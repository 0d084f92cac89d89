"""What a waiting change is about, in words: its title, and of each column from what to what. No secret is in them."""

from collections.abc import Mapping
from typing import Any

from django.db import models

from sms.models.fields import SecretField

TITLES = {
    "approvalrules": "Approval rules",
    "apikey": "API key {}",
    "policyconnection": "Connection to Contact Policy",
    "user": "Account of {}",
}
OF_SERVICES = {  # a service is changed on several pages of its settings: by how a column's name begins
    ("base_url", "api_key", "region", "auth_kind", "jwt"): "Connection to Webex Connect",
    ("keep",): "Retention",
    ("cap", "countries"): "Spend caps",
    ("hold", "time_zone"): "Limits and hours",
}
UNSHOWN = frozenset({"secrets_origin", "key_origin", "given_by_id", "service_id"})


def title_of(thing: models.Model, columns: Mapping[str, object]) -> str:
    kind = str(thing._meta.model_name)
    if kind in TITLES:
        return TITLES[kind].format(thing)[:200]
    return next(
        (title for starts, title in OF_SERVICES.items() if any(one.startswith(starts) for one in columns)),
        "Settings",
    )


def says(model: type[models.Model], values: Mapping[str, Any]) -> list[dict[str, str]]:
    """`[{"name": "a first send from a sender needs", "before": "One approver", "after": "No approval"}]`."""
    return [_line(model, name, *two) for name, two in values.items() if name not in UNSHOWN]


def _line(model: type[models.Model], name: str, before: Any, after: Any) -> dict[str, str]:
    field: Any = next(one for one in model._meta.concrete_fields if one.attname == name)
    if isinstance(field, SecretField):
        shown = ("the stored one" if before else "none", "another one" if after else "none")
    else:
        shown = (_shown(field, before), _shown(field, after))
    return {"name": str(field.verbose_name), "before": shown[0], "after": shown[1]}


def _shown(field: Any, value: Any) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if field.is_relation:
        return str(field.related_model._base_manager.filter(pk=value).first() or value)
    return f"{value:,}" if isinstance(value, int) else str(value)
