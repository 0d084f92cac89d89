"""Where the thing of an audit row has a page: for those who may open it, while it is there."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from django.apps import apps
from django.db.models import Model
from django.urls import NoReverseMatch, resolve, reverse

from sms.models import AuditEvent, Service

# where the page is not called as the thing is
PAGES = {
    "api_key": "api_key_policies",
    "conversation": "reply",
    "erasure": "number_erasure",
    "policy group": "policy_group",
    "short-link domain": "link_domain",
    "user": "person",
}
ALWAYS = frozenset({"message"})  # its page finds archived ones too
MOST_DIGITS = 18


def address_of_things(
    rows: Iterable[AuditEvent], service: Service, may: Collection[str]
) -> dict[tuple[str, str], str]:
    """Addresses by noun and key, of the rows of one page. `may` are the acts of the reader."""
    asked: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.noun_key.isascii() and row.noun_key.isdigit() and len(row.noun_key) <= MOST_DIGITS:
            asked[row.noun].add(row.noun_key)
    found = dict[tuple[str, str], str]()
    for noun, keys in asked.items():
        name = PAGES.get(noun, noun)
        if _may_open(name, service, may):
            found |= {
                (noun, key): reverse(name, args=[service.slug, int(key)])
                for key in _there(noun, keys, service)
            }
    return found


def _may_open(name: str, service: Service, may: Collection[str]) -> bool:
    """Whether there is such a page of things, and the reader holds its act."""
    try:
        example = reverse(name, args=[service.slug, 1])
    except NoReverseMatch:
        return False
    return getattr(resolve(example).func, "act", None) in may


def _there(noun: str, keys: set[str], service: Service) -> set[str]:
    """Those that the service still has: things and people go, and what was done stays."""
    model = _models().get(noun)
    if noun in ALWAYS or model is None:
        return keys if noun in ALWAYS else set()
    owner = "memberships__service" if noun == "user" else "service"
    fields = {field.name for field in model._meta.get_fields()}
    if owner.partition("__")[0] not in fields:
        return set()
    rows = model._default_manager.filter(pk__in=keys, **{owner: service})
    return {str(pk) for pk in rows.values_list("pk", flat=True)}


def _models() -> dict[str, type[Model]]:
    """The first of each noun: a service's own acts and its going live are both about the service."""
    found: dict[str, type[Model]] = {}
    for model in apps.get_models():
        if noun := getattr(model, "audit_noun", ""):
            found.setdefault(noun, model)
    return found
