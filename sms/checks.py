"""System checks of the domain, run at every start: combinations that are legal one by one and wrong together."""

from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from sms.compliance import s3
from sms.compliance.audit.elsewhere import SHOULD, parse_place
from sms.models import Service
from sms.values import time_zones


@register(Tags.compatibility)
def queue_retry_outlasts_its_tasks(**_: Any) -> list[CheckMessage]:
    """django-q2 starts a task a second time when `retry` runs out while it waits or works."""
    queue: dict[str, Any] = settings.Q_CLUSTER
    longest = queue["timeout"] * (1 + queue["queue_limit"] / queue["workers"])
    if queue["retry"] > longest:
        return []
    return [
        Error(
            f"Q_CLUSTER retry is {queue['retry']} s; it should be more than {longest:.0f} s.", id="sms.E001"
        )
    ]


@register(Tags.security, deploy=True)
def state_folder_is_private(**_: Any) -> list[CheckMessage]:
    """It holds keys, spools and the embedded database. Starts narrow what is their user's, so this is somebody else's."""
    folder, found = settings.VAR_DIR, []
    database = connections["default"].settings_dict
    here = [("VAR_DIR", folder)]
    if connections["default"].vendor == "sqlite":
        here += [("The database", Path(f"{database['NAME']}{suffix}")) for suffix in ("", "-wal", "-shm")]
    for what, path in here:
        if path.exists() and (mode := path.stat().st_mode & 0o077):
            says = f"{what} ({path}) can be read by other users of this machine."
            hint = f"As its owner, or as root: chmod {'700' if path.is_dir() else '600'} {path} (others have {mode:o})."
            found.append(Warning(says, hint=hint, id="sms.W001"))
    return list(found)


@register(Tags.compatibility)
def zones_of_numbers_are_known(**_: Any) -> list[CheckMessage]:
    """Otherwise quiet hours of the numbers there would be somebody else's."""
    if not (missing := time_zones.unknown_of_numbers()):
        return []
    says = f"This machine knows no time zone {', '.join(missing[:5])} ({len(missing)} in all), in which numbers are."
    return [Error(says, hint="Install the PyPI package tzdata, or unset PYTHONTZPATH.", id="sms.E003")]


@register(Tags.database)
def stored_zones_are_known(databases: Any = None, **_: Any) -> list[CheckMessage]:
    """A name that another machine stored, or an older database of zones had."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        tables = connections[alias].introspection.table_names()
        unknown = "which this machine does not know"
        if Service._meta.db_table in tables:
            for slug, zone in Service.objects.using(alias).values_list("slug", "time_zone"):
                if not time_zones.here(zone):
                    says = f"The service {slug} is in the time zone {zone!r}, {unknown}"
                    says += ": its pages show UTC, and messages with quiet hours wait."
                    hint = "Choose its zone again under Set-up, Rules, Limits and hours."
                    found.append(Warning(says, hint=hint, id="sms.W002"))
        people: Any = get_user_model()
        if people._meta.db_table in tables:
            chosen = people.objects.using(alias).exclude(time_zone="").values_list("time_zone", flat=True)
            for zone, count in Counter(chosen).items():
                if not time_zones.here(zone):
                    says = f"{count} of the people chose the time zone {zone!r}, {unknown}: they see times in UTC, and a note."
                    hint = "They choose it again under Your details; or install the PyPI package tzdata."
                    found.append(Warning(says, hint=hint, id="sms.W003"))
    return found


@register(Tags.compatibility)
def checkpoints_have_places(**_: Any) -> list[CheckMessage]:
    """A place that is none would get no checkpoint, and nobody would know."""
    found: list[CheckMessage] = []
    for place in settings.AUDIT_CHECKPOINTS_TO:
        try:
            parse_place(place)
        except ValueError:
            says = f"AUDIT_CHECKPOINTS_TO holds {place!r}; each place should be {SHOULD}."
            found.append(Error(says, id="sms.E002"))
        else:
            if place.startswith("s3:") and find_spec("boto3") is None:
                found.append(Error(f"AUDIT_CHECKPOINTS_TO leads to S3, which {s3.NEEDS}", id="sms.E004"))
    return found


@register(Tags.compatibility)
def archives_have_a_client(**_: Any) -> list[CheckMessage]:
    if "archives" not in settings.STORAGES or find_spec("boto3") is not None:
        return []
    return [Error(f"STORAGE_URL leads to S3, which {s3.NEEDS}", id="sms.E004")]
