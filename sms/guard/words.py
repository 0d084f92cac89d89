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
CONNECTION = "Connection to Webex Connect"
UNSHOWN = frozenset({"secrets_origin", "key_origin", "given_by_id", "service_id"})


def title_of(thing: models.Model, columns: Mapping[str, object]) -> str:
    if "base_url" in columns or "api_key" in columns or "region_id" in columns:
        return TITLES.get(str(thing._meta.model_name), CONNECTION)
    return TITLES.get(str(thing._meta.model_name), "Settings").format(thing)[:200]


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
