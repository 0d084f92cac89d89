"""The send options as arguments of `manage.py send`, one for each column of `SendOptions`, and what was given as options."""

import argparse
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import models

from sms.compose.options import BELONGS, asking_for
from sms.models import Draft, Lane, SendOptions, Service
from sms.models.flags_field import FlagsField
from sms.values import quiet_hours

SHORT = {"expires_at": ("--expires",), "resend": ("--if-unconfirmed",), "ramp": ("--start-small",)}


def moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time; write it like 2026-12-24T09:00 or 2026-12-24T09:00:00Z"
        ) from None


def in_zone(at: datetime | None, service: Service) -> datetime | None:
    """What has no offset is the service's wall clock; a skipped hour is the moment of the change, a repeated one its first."""
    if at is None or at.tzinfo is not None:
        return at
    try:
        return quiet_hours.local_instant(at, service.time_zone)
    except ValueError as problem:
        raise CommandError(f"{problem} Give the time with its offset, like 2026-12-24T09:00:00Z.") from None


def add_option_arguments(parser: CommandParser) -> None:
    options = parser.add_argument_group("send options")
    for field in SendOptions.fields():
        flags = (f"--{field.name.replace('_', '-')}", *SHORT.get(field.name, ()))
        options.add_argument(
            *flags, dest=field.name, default=argparse.SUPPRESS, help=_help(field), **_kind(field)
        )
    options.add_argument(
        "--at-night-too",
        dest="respect_quiet_hours",
        action="store_false",
        default=argparse.SUPPRESS,
        help="whatever the service's quiet hours say",
    )


def _help(field: Any) -> str:
    return str(field.help_text or field.verbose_name).replace("%", "%%")


def _kind(field: Any) -> dict[str, Any]:
    match field:
        case models.BooleanField():
            return {"action": argparse.BooleanOptionalAction}
        case models.DateTimeField():
            return {"type": moment, "metavar": "TIME"}
        case models.ForeignKey():
            return {"metavar": "NAME"}
    if isinstance(field, FlagsField):
        return {"metavar": ",".join(field.every.names)}
    if field.choices:
        return {
            "choices": [lane.name.lower() for lane in Lane]
            if field.name == "lane"
            else [value for value, _ in field.choices]
        }
    return {}


def options_of(given: dict[str, Any], service: Service) -> SendOptions:
    """Raises CommandError for a value that its column does not take, for a name that the service does not have, and for an option
    that nothing would come of."""
    for needed, names in BELONGS.items():
        if idle := [name for name in names if name in given and not given.get(needed)]:
            flag = f"--{needed.replace('_', '-')}"
            raise CommandError(f"{idle[0]}: This needs {flag}. Give it, or leave this out.")
    found: dict[str, Any] = {}
    for field in SendOptions.fields():
        if field.name not in given:
            continue
        value = given[field.name]
        if isinstance(field, models.ForeignKey):
            model: Any = Draft._meta.get_field(field.name).related_model
            rows = model._default_manager.filter(service=service, active=True)
            by = "host" if field.name == "link_domain" else "name"
            found[field.name] = named(rows, field.name, by, value, service)
        elif isinstance(value, datetime):
            found[field.name] = in_zone(value, service)
        else:
            try:
                found[field.name] = field.to_python(Lane[value.upper()] if field.name == "lane" else value)
            except ValidationError as problem:
                raise CommandError(f"{field.name}: {' '.join(problem.messages)}") from None
    return asking_for(**found)


def named(rows: Any, field: str, by: str, value: str, service: Service) -> Any:
    found = rows.filter(**{by: value}).first()
    if found is None:
        have = ", ".join(rows.values_list(by, flat=True)) or "none"
        raise CommandError(
            f"{field}: {value!r} is not a {field.replace('_', ' ')} of {service.name}. It has: {have}."
        )
    return found
