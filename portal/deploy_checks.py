"""What `manage.py check --deploy` asks of the machine: writable folders, a right clock, mail, and an address that answers."""

import http.client
import tempfile
import time
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register
from django.core.files.storage import storages
from django.db import DatabaseError
from django.db.models.functions import Now
from django.utils import timezone

from portal import kept_keys, mail_server
from portal.env import env_list
from sms.models import Region

DRIFT = timedelta(
    seconds=5
)  # between clocks; signatures of receipts and codes of second factors allow for more
PATIENCE = 5  # seconds for the address's answer


@register(Tags.files, deploy=True)
def folders_can_be_written(**_: Any) -> list[CheckMessage]:
    """Receipts are kept in one when the database does not answer, and archives go to the other."""
    found: list[CheckMessage] = []
    in_a_bucket = "archives" in settings.STORAGES
    for name in ("VAR_DIR",) if in_a_bucket else ("VAR_DIR", "ARCHIVE_DIR"):
        folder = getattr(settings, name)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder) as trial:
                trial.write(b"x")
        except OSError as problem:
            says = f"{name} ({folder}) cannot be written: {problem.strerror}."
            hint = "Make it a folder of the user that Textdesk runs as, on a disk with room."
            found.append(Error(says, hint=hint, id="portal.E001"))
    return found


@register(Tags.files, deploy=True)
def bucket_of_archives_answers(**_: Any) -> list[CheckMessage]:
    """And locks what is put there, where STORAGE_URL says so: otherwise the first archive would be refused, months from now."""
    if "archives" not in settings.STORAGES:
        return []
    bucket: Any = storages["archives"]
    try:
        bucket.look()
    except OSError as problem:
        hint = "See that the bucket is there, has object lock if `mode` is given, and lets this host's key list, read and write."
        return [Error(f"The bucket of STORAGE_URL does not serve: {problem}", hint=hint, id="portal.E002")]
    return []


@register(Tags.security, deploy=True)
def audit_key_is_elsewhere(**_: Any) -> list[CheckMessage]:
    """Whoever copies the folder with the database would have the key as well."""
    if not settings.EMBEDDED or env_list("AUDIT_KEYS") or not kept_keys.beside_the_database(settings.VAR_DIR):
        return []
    path = settings.VAR_DIR / "audit_key"
    says = f"The audit's key ({path}) is beside the database that it guards."
    hint = "Move it to a place that is not backed up with VAR_DIR, and set AUDIT_KEYS_FILE to that place."
    return [Warning(says, hint=hint, id="portal.W004")]


@register(Tags.security, deploy=True)
def address_is_public(**_: Any) -> list[CheckMessage]:
    """Webex Connect sends receipts to https addresses only."""
    if settings.HTTPS:
        return []
    says = f"PUBLIC_URL is {settings.PUBLIC_URL}: Webex Connect reports to https addresses only."
    return [Warning(says, hint="Set it to the address that people and partners use.", id="portal.W001")]


@register(deploy=True)
def mail_leaves(**_: Any) -> list[CheckMessage]:
    """Approvals, alarms and links for a forgotten password go by mail."""
    if mail_server.is_set_up():
        return []
    says = "EMAIL_URL is unset: no notice of Textdesk reaches anybody."
    return [Warning(says, hint="For example smtp+tls://user:password@host:587.", id="portal.W002")]


@register(deploy=True)
def operators_are_told(**_: Any) -> list[CheckMessage]:
    """Notices need the database and reach people of the desk; whoever runs it hears of nothing by themselves."""
    by_mail = bool(settings.OPERATIONS_MAIL_TO) and mail_server.is_set_up()
    if by_mail or settings.OPERATIONS_WEBHOOK:
        return []
    says = "No operator is told of a fault: neither OPERATIONS_MAIL_TO, with EMAIL_URL, nor OPERATIONS_WEBHOOK is set."
    return [Warning(says, hint="docs/operators/faults.md says what they are told.", id="portal.W005")]


@register(Tags.database, deploy=True)
def clock_is_the_databases(databases: Any = None, **_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for alias in databases or ():
        try:
            theirs = Region.objects.using(alias).annotate(now=Now()).values_list("now", flat=True).first()
        except DatabaseError:
            continue  # not migrated yet
        if theirs is not None and abs(timezone.now() - theirs) > DRIFT:
            found.append(_drift(theirs - timezone.now(), "the database's"))
    return found


@register(deploy=True)
def address_answers(**_: Any) -> list[CheckMessage]:
    """From here, through whatever stands before Textdesk. At a first deployment it cannot yet, so that is no warning."""
    if not settings.HTTPS:
        return []
    address = urlsplit(settings.PUBLIC_URL)
    connection = http.client.HTTPSConnection(address.hostname or "", address.port, timeout=PATIENCE)
    try:
        started = time.time()
        connection.request("GET", f"{address.path}/healthz")
        answer = connection.getresponse()
        took = time.time() - started
    except (OSError, http.client.HTTPException) as problem:
        says = (
            f"{settings.PUBLIC_URL}/healthz does not answer from here: {problem or type(problem).__name__}."
        )
        return [Info(says, hint="It is needed before the first send, for its receipts.", id="portal.I001")]
    finally:
        connection.close()
    if answer.status != 200:
        says = f"{settings.PUBLIC_URL}/healthz answers {answer.status}; another server may stand there."
        return [Info(says, id="portal.I001")]
    try:
        theirs = parsedate_to_datetime(answer.headers["Date"])
    except (TypeError, ValueError):
        return []
    off = theirs - timezone.now()
    return [_drift(off, f"that of {address.hostname}")] if abs(off) > DRIFT + timedelta(seconds=took) else []


def _drift(off: timedelta, whose: str) -> CheckMessage:
    seconds = abs(off.total_seconds())
    says = (
        f"This machine's clock is {seconds:.0f} s {'behind' if off > timedelta(0) else 'ahead of'} {whose}."
    )
    return Warning(says, hint="Have NTP set it: times of sends and receipts come from it.", id="portal.W003")
