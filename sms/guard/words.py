"""What a waiting change is about, in words: its title, and of each column from what to what. No secret is in them.

They are stored with the change, so they are English; pages have them `retold`.
"""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext_noop as _
from django.utils.translation import override

from sms.models.fields import SecretField
from sms.words import KeptSentence

TITLES = {
    "approvalrules": KeptSentence(_("Approval rules")),
    "apikey": KeptSentence(_("API key %(name)s")),
    "policyconnection": KeptSentence(_("Connection to Contact Policy")),
    "user": KeptSentence(_("Account of %(name)s")),
}
OF_SERVICES = {  # a service is changed on several pages of its settings: by how a column's name begins
    ("base_url", "api_key", "region", "auth_kind", "jwt"): _("Connection to Webex Connect"),
    ("keep",): _("Retention"),
    ("cap", "countries"): _("Spend caps"),
    ("hold", "time_zone"): _("Limits and hours"),
}
SETTINGS = _("Settings")
YES, NO, NONE = _("yes"), _("no"), _("none")
STORED, ANOTHER = _("the stored one"), _("another one")
UNSHOWN = frozenset({"secrets_origin", "key_origin", "given_by_id", "service_id"})


def title_of(thing: models.Model, columns: Mapping[str, object]) -> str:
    kind = str(thing._meta.model_name)
    if kind in TITLES:
        return TITLES[kind](name=thing)[:200]
    return next(
        (title for starts, title in OF_SERVICES.items() if any(one.startswith(starts) for one in columns)),
        SETTINGS,
    )


def says(model: type[models.Model], values: Mapping[str, Any]) -> list[dict[str, str]]:
    """`[{"name": "a first send from a sender needs", "before": "One approver", "after": "No approval"}]`."""
    with override(None):
        return [_line(model, name, *two) for name, two in values.items() if name not in UNSHOWN]


def _line(model: type[models.Model], name: str, before: Any, after: Any) -> dict[str, str]:
    field: Any = next(one for one in model._meta.concrete_fields if one.attname == name)
    if isinstance(field, SecretField):
        shown = (STORED if before else NONE, ANOTHER if after else NONE)
    else:
        shown = (_shown(field, before), _shown(field, after))
    return {"name": str(field.verbose_name), "before": shown[0], "after": shown[1]}


def _shown(field: Any, value: Any) -> str:
    if value is None or value == "":
        return NONE
    if isinstance(value, bool):
        return YES if value else NO
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if field.is_relation:
        return str(field.related_model._base_manager.filter(pk=value).first() or value)
    return f"{value:,}" if isinstance(value, int) else str(value)
