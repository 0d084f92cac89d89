"""What a request must fulfil before it leaves, rule by rule, each named by its field. Called by `wire.encode` and by previews.

Every refusal is a `WireError` with the path of the field as it is on the wire and the rule in words. Sources are the seed's
"Body Parameters" and reference §3.1-3.3; where these are silent, the comment says whose rule it is. Written to cost little
where a field is absent, since it runs for every message.
"""

import dataclasses
import datetime as dt
import re

from sms.webex import addresses
from sms.webex.limits import (
    AHEAD,
    LONGEST_CALLBACK_DATA,
    LONGEST_VALIDITY,
    MOST_DESTINATIONS,
    RECEIPTS,
    TAG,
)
from sms.webex.send_request import ContactPolicy, Destination, Options, SendRequest

_PLACEHOLDER = re.compile(r"\$\(([^()]+)\)")
_SMARTLINK = re.compile(r"\{\{smartlink_(\d+)\}\}", re.ASCII)
_AUTH_ID = re.compile(r"[A-Za-z0-9]{1,64}")


class WireError(ValueError):
    """A request breaks a rule. `field` is its path on the wire, `rule` a sentence, `code` what the provider would answer."""

    def __init__(self, field: str, rule: str, *, code: str = "7004") -> None:
        super().__init__(field, rule, code)
        self.field = field
        self.rule = rule
        self.code = code

    def __str__(self) -> str:
        return f"{self.field}: {self.rule}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What differs between services. `now` defaults to the clock; it matters only where a moment is given.

    `text_limit` is in characters after substitution: 1024 in the seed, 4000 on newer tenants. `several_msisdns` admits several
    numbers in one `to` object, which the wire has and we never send. `correlation_limit` is in bytes: undocumented for v2, 50 in
    the sibling API and in the provider's log export. `plain_http` admits http beyond this machine, for a sandbox elsewhere.
    """

    text_limit: int = 1024
    e164_plus: bool = False
    max_destinations: int = MOST_DESTINATIONS
    now: dt.datetime | None = None
    several_msisdns: bool = False
    correlation_limit: int = 50
    plain_http: bool = False


DEFAULT = Rules()


def validate(request: SendRequest, *, rules: Rules = DEFAULT) -> None:
    """Raise `WireError` for the first rule that does not hold, in the order of the fields."""
    if request.channel != "sms":
        raise WireError("channel", "must be sms")
    if addresses.SENDER.fullmatch(request.from_) is None:
        raise WireError(
            "from", addresses.sender_rule(request.from_), code="7004" if request.from_ else "7003"
        )
    _destinations(request.to, rules)
    if request.substitutions:
        _substitutions(request.substitutions, "substitutions")
    _body(request, rules)
    if request.options is not None:
        _options(request.options, rules)
    if request.requested_receipts:
        _receipts(request)
    if request.send_at is not None or request.expire_at is not None or request.validity is not None:
        _times(request, rules)
    if len(request.callback_data) > LONGEST_CALLBACK_DATA:
        raise WireError(
            "callbackData",
            f"may have {LONGEST_CALLBACK_DATA} characters, spaces included; it has {len(request.callback_data)}",
        )
    if request.notify_url:
        _notify_url(request.notify_url, rules)
    if request.notify_url_auth_id:
        if not request.notify_url:
            raise WireError("notifyUrlAuthId", "needs a notifyUrl to sign in to")
        if _AUTH_ID.fullmatch(request.notify_url_auth_id) is None:
            raise WireError(
                "notifyUrlAuthId", "is the id of an authorization made in the console: letters and digits"
            )
    if request.contact_policy is not None:
        _contact_policy(request.contact_policy)
    if request.batch_id and request.batch_id != request.batch_id.strip():
        raise WireError("batchId", "must not begin or end with a space")


def _destinations(to: list[Destination], rules: Rules) -> None:
    if not to:
        raise WireError("to", "needs at least one destination", code="7003")
    msisdn = addresses.PLUS_MSISDN if rules.e164_plus else addresses.MSISDN
    total = len(to)
    for index, destination in enumerate(to):
        numbers = destination.msisdn
        if len(numbers) != 1:
            if not numbers:
                raise WireError(f"to[{index}].msisdn", "needs a number", code="7003")
            if not rules.several_msisdns:
                raise WireError(
                    f"to[{index}].msisdn", "holds one number for each destination; give each its own object"
                )
            total += len(numbers) - 1
        for number in numbers:
            if msisdn.fullmatch(number) is None:
                raise WireError(f"to[{index}].msisdn", addresses.msisdn_rule(plus=rules.e164_plus))
        if destination.substitutions:
            _substitutions(destination.substitutions, f"to[{index}].substitutions")
        correlation_id = destination.correlation_id
        # Counting characters first saves encoding nearly always: no character takes more than four bytes.
        if (
            len(correlation_id) * 4 > rules.correlation_limit
            and _bytes(correlation_id) > rules.correlation_limit
        ):
            raise WireError(f"to[{index}].correlationId", f"may have {rules.correlation_limit} bytes")
    if total > rules.max_destinations:
        # The thousand is counted over numbers: the documents say "destinations" and leave it open (reference §3.2).
        raise WireError(
            "to", f"may have {rules.max_destinations} numbers in one request; it has {total}", code="7009"
        )


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _substitutions(substitutions: dict[str, str], field: str) -> None:
    for name in substitutions:
        if not name or name.startswith("$("):
            raise WireError(field, f"names placeholders bare: name, not $(name); {name!r} is none")


def _body(request: SendRequest, rules: Rules) -> None:
    content, template = request.content, request.template
    if content is None:
        if template is None:
            raise WireError("content", "either content or template must be given", code="7003")
        if not template.id or template.id != template.id.strip():
            raise WireError("template.id", "must be the template's id at the provider", code="7108")
        links = None
    else:
        if template is not None:
            raise WireError("template", "only one of content and template may be given")
        if content.type not in ("text", "unicode"):
            raise WireError("content.type", "must be text or unicode", code="7126")
        if not content.text:
            raise WireError("content.text", "must not be empty", code="7003")
        if "$(" in content.text:
            _substituted(request, content.text, rules)
        elif len(content.text) > rules.text_limit:
            raise _too_long(len(content.text), rules, "")
        links = _SMARTLINK.findall(content.text) if "{{smartlink_" in content.text else []
    if request.smartlinks or links:
        _smartlinks(request, links)


def _substituted(request: SendRequest, text: str, rules: Rules) -> None:
    """Every placeholder has a value, and no destination's text is over the limit with its values in place.

    What the provider does with a missing value is not documented (reference §9), so every value is given.
    """
    names = _PLACEHOLDER.findall(text)
    if text.count("$(") != len(names) and (request.substitutions or request.to[0].substitutions):
        # One that only we would fill in would be sent as it stands.
        raise WireError("content.text", "has a $( that begins no placeholder: a name has no brackets in it")
    fixed = len(text) - sum(map(len, names)) - 3 * len(names)
    for index, destination in enumerate(request.to):
        length = fixed
        for name in names:
            value = destination.substitutions.get(name)
            if value is None:
                value = request.substitutions.get(name)
                if value is None:
                    raise WireError(
                        f"to[{index}].substitutions",
                        f"has no value for $({name}), and neither has substitutions",
                        code="7003",
                    )
            length += len(value)
        if length > rules.text_limit:
            raise _too_long(length, rules, f" with the values of to[{index}]")


def _too_long(length: int, rules: Rules, which: str) -> WireError:
    return WireError(
        "content.text", f"may have {rules.text_limit} characters; it has {length}{which}", code="7107"
    )


def _smartlinks(request: SendRequest, in_text: list[str] | None) -> None:
    """Tokens in the text and entries of the list name the same links. A template's text is not known here."""
    listed = [link.smartlink_id for link in request.smartlinks]
    for index, link in enumerate(request.smartlinks):
        if link.smartlink_id < 1:
            raise WireError(f"smartlinks[{index}].smartlinkId", "must be the link's number in the console")
        if link.validity < 1:
            raise WireError(f"smartlinks[{index}].validity", "must be at least 1 (minutes)")
        if in_text is not None and str(link.smartlink_id) not in in_text:
            raise WireError(
                f"smartlinks[{index}].smartlinkId", f"the text has no {{{{smartlink_{link.smartlink_id}}}}}"
            )
    if len(set(listed)) != len(listed):
        raise WireError("smartlinks", "names a link twice")
    for token in in_text or ():
        if int(token) not in listed:
            raise WireError("smartlinks", f"has no entry for {{{{smartlink_{token}}}}} in the text")


def _options(options: Options, rules: Rules) -> None:
    if not options.domain:
        raise WireError("options.domain", "is mandatory whenever options are used")
    if not addresses.is_origin(options.domain, plain=rules.plain_http):
        raise WireError("options.domain", "must be https:// and a host name, for example https://uk.wbxc.io")
    for field, tag in (("tag1", options.tag1), ("tag2", options.tag2)):
        if tag and TAG.fullmatch(tag) is None:
            raise WireError(f"options.{field}", "may have 50 letters, digits, _ and -")


def _receipts(request: SendRequest) -> None:
    options = request.options
    clicks = options is not None and options.shorten_links and options.track_clicks
    for index, receipt in enumerate(request.requested_receipts):
        if receipt not in RECEIPTS:
            raise WireError(f"requestedReceipts[{index}]", f"must be one of {', '.join(sorted(RECEIPTS))}")
        if receipt == "CLICKED" and not clicks:
            raise WireError(
                f"requestedReceipts[{index}]", "CLICKED comes only with shortenLinks and trackClicks"
            )


def _times(request: SendRequest, rules: Rules) -> None:
    send_at, expire_at, validity = request.send_at, request.expire_at, request.validity
    if expire_at is not None and validity is not None:
        raise WireError("validity", "only one of expireAt and validity may be given")
    if validity is not None:
        seconds = int(validity) if isinstance(validity, int) or _is_count(validity) else 0
        if not 1 <= seconds <= LONGEST_VALIDITY:
            raise WireError("validity", f"must be whole seconds from 1 to {LONGEST_VALIDITY} (72 hours)")
        if send_at is None:
            return
    now = rules.now or dt.datetime.now(dt.UTC)
    for field, moment in (("sendAt", send_at), ("expireAt", expire_at)):
        if moment is None:
            continue
        if moment.tzinfo is None:
            raise WireError(field, "must say which time zone it is in")
        if moment < now:
            raise WireError(field, "must not be in the past")
        if moment - now > AHEAD:
            raise WireError(field, "may be 7 days ahead at most")
    if expire_at is not None and expire_at <= (send_at or now):
        raise WireError("expireAt", "must be after sendAt" if send_at else "must not be in the past")


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10


def _notify_url(url: str, rules: Rules) -> None:
    if not addresses.is_url(url, plain=rules.plain_http):
        # The provider calls https only, and takes a URL with a space around it for an invalid one (reference §3.1).
        raise WireError("notifyUrl", "must be a whole https:// address without spaces")


def _contact_policy(policy: ContactPolicy) -> None:
    if not policy.group.strip():
        raise WireError("contactPolicy.contactPolicyGroup", "is mandatory with a contact policy")
    if not (policy.check_consent or policy.apply_frequency_cap):
        raise WireError(
            "contactPolicy", "at least one of channelCheckConsent and channelApplyFrequencyCap must be true"
        )
