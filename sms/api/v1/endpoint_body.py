"""What partners say of a callback endpoint: what it hears of, how, and what their key must be allowed for that."""

from typing import Any

from rest_framework import serializers

from sms.api.v1.bodies import Change, Strict
from sms.api.v1.problems import ApiProblem, invalid
from sms.callbacks import secret_problem
from sms.callbacks.endpoints import KINDS
from sms.compose import labels
from sms.models import ApiKey, CallbackEndpoint, Sender
from sms.models.callback import MOST_IN_A_BATCH
from sms.values.problems import ProblemCode
from sms.webex.addresses import bare_sender
from sms.webex.limits import LONGEST_URL

EVENTS, NOTIFY = CallbackEndpoint.Kind.EVENTS, CallbackEndpoint.Kind.NOTIFY
KIND = "`events`: it gets the events that it asks for. `notify`: it stands for the host of notifyUrls, and gets copies of receipts."
MOST_NAMED = 50
AS_THEY_ARE = ("name", "events", "full_numbers", "texts", "batch_size")
NEEDED = {"full_numbers": "numbers", "texts": "texts"}  # scopes


def _names(help_text: str, length: int) -> Any:
    one = serializers.CharField(max_length=length)
    return serializers.ListField(child=one, required=False, max_length=MOST_NAMED, help_text=help_text)


class EndpointFields(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80, required=False)
    url = serializers.CharField(
        max_length=LONGEST_URL,
        required=False,
        help_text="Another address has to be verified before anything goes there; log and backlog stay.",
    )
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=sorted(KINDS)),
        required=False,
        max_length=len(KINDS),
        help_text="Which events it gets; empty means all.",
    )
    keys = _names(
        "Names of API keys: it gets events of their sends. None means those of the key that it belongs to. Others need the scope `all`.",
        60,
    )
    all_keys = serializers.BooleanField(
        required=False,
        help_text="It gets events of everyone's sends, people's too. Needs the scope `all`.",
    )
    senders = _names(
        "Addresses of senders: it gets events of what came from them. Empty means all senders.", 16
    )
    labels = _names(
        "It gets events of sends with one of these labels, written as for a send. Empty means of all sends.",
        100,
    )
    full_numbers = serializers.BooleanField(required=False, help_text="Needs the scope `numbers`.")
    texts = serializers.BooleanField(
        required=False,
        help_text="With what people wrote in replies, and which links they opened. Needs the scope `texts`.",
    )
    batch_size = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_IN_A_BATCH,
        help_text="More than 1: as many events as wait, up to this many, come in one POST of type `batch`.",
    )


class EndpointChange(EndpointFields, Change):
    """What of an endpoint can change."""


class EndpointBody(EndpointFields, Strict):
    """A receiver of callbacks. Of kind `notify` it is the host of notifyUrls before the first message names it."""

    kind = serializers.ChoiceField(choices=CallbackEndpoint.Kind.values, default=EVENTS.value, help_text=KIND)
    url = serializers.CharField(max_length=LONGEST_URL)
    secret = serializers.CharField(
        required=False, max_length=200, help_text="To sign with. Left out, one is made and shown."
    )


class SecretBody(Strict):
    """The new secret. Left out, one is made and shown."""

    secret = serializers.CharField(required=False, max_length=200)


class TestBody(Strict):
    """Which event is posted as a test."""

    type = serializers.ChoiceField(choices=sorted(KINDS), default="message.delivered")


def check_secret(body: dict[str, Any], kind: str) -> None:
    secret = body.get("secret", "")
    if secret and (why := secret_problem(secret, kind)):
        raise invalid("secret", why)


def check_fits(body: dict[str, Any]) -> None:
    """A host of notifyUrls hears of what is sent with it, and of nothing else. One that gets events has a name."""
    if body["kind"] == NOTIFY:
        for name in body:
            if name not in ("kind", "url", "secret"):
                raise invalid(name, "Of the host of notifyUrls only its url and its secret can be given.")
    elif not body.get("name"):
        raise invalid("name", "This field is required.", code=ProblemCode.REQUIRED)
    check_secret(body, body["kind"])


def wanted(body: dict[str, Any], *, key: ApiKey, endpoint: CallbackEndpoint | None = None) -> dict[str, Any]:
    """The columns that a body sets, of a new endpoint or of this one. Raises what is wrong with it, or what the key may not have."""
    found = {name: body[name] for name in AS_THEY_ARE if name in body}
    found |= _heard_keys(body, key, endpoint)
    if "senders" in body:
        found["senders"] = _senders(body["senders"], key)
    if "labels" in body:
        found["labels"] = _labels(body["labels"])
    _check_may(body, found, key, endpoint)
    return found


def _heard_keys(body: dict[str, Any], key: ApiKey, endpoint: CallbackEndpoint | None) -> dict[str, Any]:
    names, everybody = body.get("keys"), body.get("all_keys")
    if endpoint is not None and names is None and everybody is None:
        return {}
    if everybody and names:
        raise invalid("keys", "With all_keys it gets events of every key. Leave one of them out.")
    if everybody:
        return {"all_keys": True, "keys": []}
    if not names and endpoint is not None and endpoint.key_owner is not None:
        return {"all_keys": False, "keys": [str(endpoint.key_owner)]}  # whoever changes it, it is that key's
    return {"all_keys": False, "keys": _identities(names or [], key)}


def _identities(names: list[str], key: ApiKey) -> list[str]:
    if not set(names) - {key.name}:
        return [str(key.identity)]
    if not key.sees_all:
        raise _lacks("all", "have events of other keys posted to an endpoint")
    rows = ApiKey.objects.filter(service=key.service_id, is_test=key.is_test).order_by("name")
    known = {name: str(identity) for name, identity in rows.values_list("name", "identity")}
    return [_chosen(name, known, f"keys[{place}]", "API key") for place, name in enumerate(names)]


def _senders(addresses: list[str], key: ApiKey) -> list[int]:
    known = dict(Sender.objects.filter(service=key.service_id).values_list("address", "pk"))
    told = key.may("catalogue")
    return [
        _chosen(bare_sender(address), known, f"senders[{place}]", "sender", told=told)
        for place, address in enumerate(addresses)
    ]


def _labels(words: list[str]) -> list[str]:
    try:
        return list(labels.normalized_set(words))
    except labels.BadLabel as problem:
        raise invalid("labels", str(problem)) from None


def _chosen(name: str, known: dict[str, Any], field: str, what: str, *, told: bool = True) -> Any:
    """`told`: whether the key may know which there are."""
    if name not in known:
        there = f"There are: {', '.join(list(known)[:MOST_NAMED]) or 'none'}."
        which = there if told else "A key with the scope “catalogue” is told which there are."
        raise invalid(field, f"Your service has no {what} {name[:60]!r}. {which}")
    return known[name]


def _check_may(
    body: dict[str, Any], found: dict[str, Any], key: ApiKey, endpoint: CallbackEndpoint | None
) -> None:
    """What is asked for, and where the address or whose events it hears changes also what the endpoint had before: whole numbers would be
    posted elsewhere, or of others."""

    def after(column: str) -> Any:
        widens = any(name in body for name in ("url", "keys", "all_keys"))
        stays = getattr(endpoint, column) if endpoint is not None and widens else None
        return found.get(column, stays)

    for column, scope in NEEDED.items():
        if after(column) and not key.may(scope):
            raise _lacks(
                scope, f"have {'them' if scope == 'texts' else 'whole numbers'} posted to an endpoint"
            )
    others = set(after("keys") or ()) - {str(key.identity)}
    if (after("all_keys") or others) and not key.sees_all:
        raise _lacks("all", "have events of others posted to an endpoint")


def _lacks(scope: str, what: str) -> ApiProblem:
    return ApiProblem(403, "forbidden", f"This key lacks the scope “{scope}”, so it cannot {what}.")
