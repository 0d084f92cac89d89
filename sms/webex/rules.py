"""What a request must fulfil before it leaves, rule by rule, each named by its field. Called by `wire.encode` and by previews.

Every refusal is a `WireError` with the path of the field as it is on the wire and the rule in words. Sources are the seed's
"Body Parameters" and reference §3.1-3.3; where these are silent, the comment says whose rule it is. Written to cost little
where a field is absent, since it runs for every message.
"""

import dataclasses
import datetime as dt

from sms.webex import addresses
from sms.webex.limits import (
    AHEAD,
    AUTH_ID,
    BRACED,
    LONGEST_CALLBACK_DATA,
    LONGEST_TAG,
    LONGEST_VALIDITY,
    MOST_DESTINATIONS,
    PLACEHOLDER,
    RECEIPTS,
    SMARTLINK,
    TAG,
    TEXT_LIMIT,
)
from sms.webex.send_request import ContactPolicy, Destination, Options, SendRequest
from sms.words import KeptSentence, gettext_noop, retold


class WireError(ValueError):
    """A request breaks a rule. `field` is its path on the wire, `rule` a sentence, `code` what the provider would answer.

    Both are kept with messages, so the rule is English.
    """

    def __init__(self, field: str, rule: str, *, code: str = "7004") -> None:
        super().__init__(field, rule, code)
        self.field = field
        self.rule = rule
        self.code = code

    def __str__(self) -> str:
        return f"{self.field}: {self.rule}"


class _FieldRule(KeptSentence):
    """`content.text: must not be empty`, where the rule is one of those here."""

    def read(self, kept: str) -> dict[str, str] | None:
        found = super().read(kept)
        ours = found and " " not in found["field"] and retold(found["rule"]) != found["rule"]
        return found if ours else None


_FieldRule("%(field)s: %(rule)s")
# the longer one first: the other reads like it
_TEXT_WITH_VALUES = KeptSentence(
    gettext_noop("may have %(most)s characters; it has %(characters)s with the values of to[%(index)s]")
)
_TEXT = KeptSentence(gettext_noop("may have %(most)s characters; it has %(characters)s"))
_CALLBACK_DATA = KeptSentence(
    gettext_noop("may have %(most)s characters, spaces included; it has %(characters)s")
)
_BYTES = KeptSentence(gettext_noop("may have %(most)s bytes"))
_NUMBERS = KeptSentence(gettext_noop("may have %(most)s numbers in one request; it has %(numbers)s"))
_BARE = KeptSentence(gettext_noop("names placeholders bare: name, not $(name); %(name)s is none"))
_NO_VALUE = KeptSentence(gettext_noop("has no value for %(placeholder)s, and neither has substitutions"))
_NO_TOKEN = KeptSentence(gettext_noop("the text has no %(token)s"))
_NO_ENTRY = KeptSentence(gettext_noop("has no entry for %(token)s in the text"))
_TAG = KeptSentence(gettext_noop("may have %(most)s letters, digits, _ and -"))
_ONE_OF = KeptSentence(gettext_noop("must be one of %(choices)s"))
_VALIDITY = KeptSentence(gettext_noop("must be whole seconds from 1 to %(most)s (72 hours)"))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What differs between services. `now` defaults to the clock; it matters only where a moment is given.

    `text_limit` is in characters after substitution: 1024 in the seed, 4000 on newer tenants; with `utf16` an emoji counts as two.
    `braces` is for texts whose placeholders are `${name}`. `several_msisdns` admits several numbers in one `to` object, which the wire
    has and we never send.
    """

    text_limit: int = TEXT_LIMIT
    utf16: bool = False
    braces: bool = False
    e164_plus: bool = False
    max_destinations: int = MOST_DESTINATIONS
    now: dt.datetime | None = None
    several_msisdns: bool = False

    def length_of(self, text: str) -> int:
        return length(text, utf16=self.utf16)


def length(text: str, *, utf16: bool) -> int:
    """Characters, or UTF-16 units as Java and JavaScript count: two for what is outside the Basic Multilingual Plane, such as an emoji."""
    if not utf16 or text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


DEFAULT = Rules()
# undocumented for v2; it is that of the sibling API and of the provider's log export
CORRELATION_BYTES = 50


def validate(request: SendRequest, *, rules: Rules = DEFAULT) -> None:
    """Raise `WireError` for the first rule that does not hold, in the order of the fields."""
    if request.channel != "sms":
        raise WireError("channel", gettext_noop("must be sms"))
    if not addresses.is_sender(request.from_):
        code = "7004" if request.from_ else "7003"
        raise WireError("from", addresses.sender_rule(request.from_), code=code)
    _destinations(request.to, rules)
    if request.substitutions:
        _substitutions(request.substitutions, "substitutions")
    _body(request, rules)
    if request.options is not None:
        _options(request.options)
    if request.requested_receipts:
        _receipts(request)
    if request.send_at is not None or request.expire_at is not None or request.validity is not None:
        _times(request, rules)
    if len(request.callback_data) > LONGEST_CALLBACK_DATA:
        raise WireError(
            "callbackData",
            _CALLBACK_DATA(most=LONGEST_CALLBACK_DATA, characters=len(request.callback_data)),
        )
    if request.notify_url and not addresses.is_url(request.notify_url):
        # The provider calls https only, and takes a URL with a space around it for an invalid one (reference §3.1).
        raise WireError("notifyUrl", gettext_noop("must be a whole https:// address without spaces"))
    if request.notify_url_auth_id:
        if not request.notify_url:
            raise WireError("notifyUrlAuthId", gettext_noop("needs a notifyUrl to sign in to"))
        if AUTH_ID.fullmatch(request.notify_url_auth_id) is None:
            raise WireError(
                "notifyUrlAuthId",
                gettext_noop("is the id of an authorization made in the console: letters and digits"),
            )
    if request.contact_policy is not None:
        _contact_policy(request.contact_policy)
    if request.batch_id and request.batch_id != request.batch_id.strip():
        raise WireError("batchId", gettext_noop("must not begin or end with a space"))


def _destinations(to: list[Destination], rules: Rules) -> None:
    if not to:
        raise WireError("to", gettext_noop("needs at least one destination"), code="7003")
    msisdn = addresses.PLUS_MSISDN if rules.e164_plus else addresses.MSISDN
    total = len(to)
    for index, destination in enumerate(to):
        numbers = destination.msisdn
        if len(numbers) != 1:
            if not numbers:
                raise WireError(f"to[{index}].msisdn", gettext_noop("needs a number"), code="7003")
            if not rules.several_msisdns:
                raise WireError(
                    f"to[{index}].msisdn",
                    gettext_noop("holds one number for each destination; give each its own object"),
                )
            total += len(numbers) - 1
        for number in numbers:
            if msisdn.fullmatch(number) is None:
                raise WireError(f"to[{index}].msisdn", addresses.msisdn_rule(plus=rules.e164_plus))
        if destination.substitutions:
            _substitutions(destination.substitutions, f"to[{index}].substitutions")
        # Counting characters first saves encoding nearly always: no character takes more than four bytes.
        most, said = CORRELATION_BYTES, destination.correlation_id
        if len(said) * 4 > most and len(said.encode("utf-8", "surrogatepass")) > most:
            raise WireError(f"to[{index}].correlationId", _BYTES(most=most))
    if total > rules.max_destinations:
        # The thousand is counted over numbers: the documents say "destinations" and leave it open (reference §3.2).
        raise WireError("to", _NUMBERS(most=rules.max_destinations, numbers=total), code="7009")


def _substitutions(substitutions: dict[str, str], field: str) -> None:
    for name in substitutions:
        if not name or name.startswith("$("):
            raise WireError(field, _BARE(name=repr(name)))


def _body(request: SendRequest, rules: Rules) -> None:
    content, template = request.content, request.template
    if content is None:
        if template is None:
            raise WireError("content", gettext_noop("either content or template must be given"), code="7003")
        if not template.id or template.id != template.id.strip():
            raise WireError(
                "template.id", gettext_noop("must be the template's id at the provider"), code="7108"
            )
        links = None
    else:
        if template is not None:
            raise WireError("template", gettext_noop("only one of content and template may be given"))
        if content.type not in ("text", "unicode"):
            raise WireError("content.type", gettext_noop("must be text or unicode"), code="7126")
        if not content.text:
            raise WireError("content.text", gettext_noop("must not be empty"), code="7003")
        if ("${" if rules.braces else "$(") in content.text:
            _substituted(request, content.text, rules)
        elif (length := rules.length_of(content.text)) > rules.text_limit:
            raise _too_long(length, rules)
        links = SMARTLINK.findall(content.text) if "{{smartlink_" in content.text else []
    if request.smartlinks or links:
        _smartlinks(request, links)


def _substituted(request: SendRequest, text: str, rules: Rules) -> None:
    """Every placeholder has a value, and no destination's text is over the limit with its values in place.

    What the provider does with a missing value is not documented (reference §9), so every value is given.
    """
    opening, closing = ("${", "}") if rules.braces else ("$(", ")")
    names = (BRACED if rules.braces else PLACEHOLDER).findall(text)
    if (
        not rules.braces
        and text.count("$(") != len(names)
        and (request.substitutions or request.to[0].substitutions)
    ):
        # One that only we would fill in would be sent as it stands.
        raise WireError(
            "content.text", gettext_noop("has a $( that begins no placeholder: a name has no brackets in it")
        )
    fixed = rules.length_of(text) - sum(map(rules.length_of, names)) - 3 * len(names)
    for index, destination in enumerate(request.to):
        length = fixed
        for name in names:
            value = destination.substitutions.get(name)
            if value is None:
                value = request.substitutions.get(name)
                if value is None:
                    raise WireError(
                        f"to[{index}].substitutions",
                        _NO_VALUE(placeholder=f"{opening}{name}{closing}"),
                        code="7003",
                    )
            length += rules.length_of(value)
        if length > rules.text_limit:
            raise _too_long(length, rules, index)


def _too_long(length: int, rules: Rules, index: int | None = None) -> WireError:
    """`index` is of the destination whose values make it too long."""
    said = _TEXT if index is None else _TEXT_WITH_VALUES
    return WireError("content.text", said(most=rules.text_limit, characters=length, index=index), code="7107")


def _smartlinks(request: SendRequest, in_text: list[str] | None) -> None:
    """Tokens in the text and entries of the list name the same links. A template's text is not known here."""
    listed = [link.smartlink_id for link in request.smartlinks]
    for index, link in enumerate(request.smartlinks):
        if link.smartlink_id < 1:
            raise WireError(
                f"smartlinks[{index}].smartlinkId", gettext_noop("must be the link's number in the console")
            )
        if link.validity < 1:
            raise WireError(f"smartlinks[{index}].validity", gettext_noop("must be at least 1 (minutes)"))
        if in_text is not None and str(link.smartlink_id) not in in_text:
            raise WireError(
                f"smartlinks[{index}].smartlinkId", _NO_TOKEN(token=f"{{{{smartlink_{link.smartlink_id}}}}}")
            )
    if len(set(listed)) != len(listed):
        raise WireError("smartlinks", gettext_noop("names a link twice"))
    for token in in_text or ():
        if int(token) not in listed:
            raise WireError("smartlinks", _NO_ENTRY(token=f"{{{{smartlink_{token}}}}}"))


def _options(options: Options) -> None:
    if not options.domain:
        raise WireError("options.domain", gettext_noop("is mandatory whenever options are used"), code="7003")
    if not addresses.is_origin(options.domain):
        raise WireError(
            "options.domain", gettext_noop("must be https:// and a host name, for example https://uk.wbxc.io")
        )
    for field, tag in (("tag1", options.tag1), ("tag2", options.tag2)):
        if tag and TAG.fullmatch(tag) is None:
            raise WireError(f"options.{field}", _TAG(most=LONGEST_TAG))


def _receipts(request: SendRequest) -> None:
    options = request.options
    clicks = options is not None and options.shorten_links and options.track_clicks
    for index, receipt in enumerate(request.requested_receipts):
        if receipt not in RECEIPTS:
            raise WireError(f"requestedReceipts[{index}]", _ONE_OF(choices=", ".join(sorted(RECEIPTS))))
        if receipt == "CLICKED" and not clicks:
            raise WireError(
                f"requestedReceipts[{index}]",
                gettext_noop("CLICKED comes only with shortenLinks and trackClicks"),
            )


def _times(request: SendRequest, rules: Rules) -> None:
    send_at, expire_at, validity = request.send_at, request.expire_at, request.validity
    if expire_at is not None and validity is not None:
        raise WireError("validity", gettext_noop("only one of expireAt and validity may be given"))
    if validity is not None:
        seconds = int(validity) if isinstance(validity, int) or _is_count(validity) else 0
        if not 1 <= seconds <= LONGEST_VALIDITY:
            raise WireError("validity", _VALIDITY(most=LONGEST_VALIDITY))
        if send_at is None:
            return
    now = rules.now or dt.datetime.now(dt.UTC)
    for field, moment in (("sendAt", send_at), ("expireAt", expire_at)):
        if moment is None:
            continue
        if moment.tzinfo is None:
            raise WireError(field, gettext_noop("must say which time zone it is in"))
        if moment < now:
            raise WireError(field, gettext_noop("must not be in the past"))
        if moment - now > AHEAD:
            raise WireError(field, gettext_noop("may be 7 days ahead at most"))
    if expire_at is not None and expire_at <= (send_at or now):
        raise WireError(
            "expireAt",
            gettext_noop("must be after sendAt") if send_at else gettext_noop("must not be in the past"),
        )


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10


def _contact_policy(policy: ContactPolicy) -> None:
    if not policy.group.strip():
        raise WireError(
            "contactPolicy.contactPolicyGroup",
            gettext_noop("is mandatory with a contact policy"),
            code="7003",
        )
    if not (policy.check_consent or policy.apply_frequency_cap):
        raise WireError(
            "contactPolicy",
            gettext_noop("at least one of channelCheckConsent and channelApplyFrequencyCap must be true"),
        )
