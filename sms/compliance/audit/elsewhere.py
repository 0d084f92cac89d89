"""Checkpoints at a second place, out of reach of whoever has this host and its database.

A place is an address: `syslog://host:514` (UDP), `syslog+tcp://…`, `syslog+tls://…`, `syslog+unix:///dev/log`, `s3://bucket/prefix` or
`mailto:audit@example.org`. What a bucket holds is read back and compared; of the others, a person brings a copy.
"""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import unquote, urlsplit

from django.core.mail import EmailMessage
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sms.compliance import s3
from sms.compliance.audit import syslog
from sms.compliance.audit.bucket import LockedBucket
from sms.compliance.audit.checkpoint import Checkpoint, read_lines
from sms.models import CheckpointPlace
from sms.values.mail_subject import one_line
from sms.words import KeptSentence

SHOULD = "syslog://host:514, syslog+tcp://host:514, syslog+tls://host:6514, syslog+unix:///dev/log, s3://bucket/prefix or mailto:address"


def parse_place(text: str) -> str:
    """The place as it was written. Raises ValueError where it is none."""
    parts = urlsplit(text)
    if parts.scheme == "s3":
        LockedBucket.at(parts)
    elif not (parts.scheme == "mailto" and "@" in parts.path) and not syslog.is_syslog(parts):
        raise ValueError(text)
    return text


# what checks found there, as it is kept
BY_A_PERSON = KeptSentence(
    gettext_noop("%(place)s is compared by a person: verify_audit --checkpoint FILE takes a copy of it.")
)
ADD_ONLY = KeptSentence(
    gettext_noop("%(place)s lets us add only: verify_audit --checkpoint FILE takes a copy of it.")
)
NOT_COMPARED = KeptSentence(gettext_noop("%(place)s could not be compared: %(problem)s"))
WRITTEN_OVER = KeptSentence(
    gettext_noop("%(file)s in %(place)s was written over or removed; its first version is what counts.")
)
FOREIGN = KeptSentence(
    gettext_noop("%(file)s in %(place)s holds lines that were not made with today's AUDIT_KEYS.")
)
NOTHING_THERE = KeptSentence(
    gettext_noop("%(place)s holds no checkpoint, although some were delivered there.")
)


def deliver(lines: Sequence[str], place: str, *, now: datetime) -> None:
    """Raises OSError."""
    parts = urlsplit(place)
    if parts.scheme == "mailto":
        body = "\n".join((*lines, ""))
        EmailMessage(
            subject=one_line(_("Textdesk: checkpoints of the audit")), body=body, to=[unquote(parts.path)]
        ).send()
    elif parts.scheme == "s3":
        LockedBucket.at(parts).put(lines, now=now)
    else:
        syslog.send(lines, parts)


def read_back(
    places: Sequence[str], *, now: datetime, accepted: datetime | None
) -> tuple[list[Checkpoint], list[str], list[str]]:
    """Checkpoints that the places still hold, sentences about what was altered there, and about places that cannot be read from here.

    What was done before `accepted`, when a person said why, counts no longer.
    """
    known: list[Checkpoint] = []
    wrong: list[str] = []
    unread: list[str] = []
    for place in places:
        if urlsplit(place).scheme != "s3":
            unread.append(BY_A_PERSON(place=place))
            continue
        try:
            got, altered = _of_bucket(place, now=now, accepted=accepted)
        except s3.BucketUnreadable:
            unread.append(ADD_ONLY(place=place))
        except (OSError, ValueError) as problem:
            wrong.append(NOT_COMPARED(place=place, problem=str(problem)[:300]))
        else:
            known += got
            wrong += altered
    return known, wrong, unread


def _of_bucket(place: str, *, now: datetime, accepted: datetime | None) -> tuple[list[Checkpoint], list[str]]:
    known: list[Checkpoint] = []
    wrong: list[str] = []
    for one in LockedBucket.at(urlsplit(place)).read(now=now):
        if one.tampered_at and (accepted is None or one.tampered_at > accepted):
            wrong.append(WRITTEN_OVER(file=one.key, place=place))
        read = read_lines(one.text.splitlines())
        known += read.checkpoints
        if read.foreign:
            wrong.append(FOREIGN(file=one.key, place=place))
    sent = CheckpointPlace.objects.filter(pk=place, delivered_at__isnull=False)
    if not known and sent.exists():
        wrong.append(NOTHING_THERE(place=place))
    return known, wrong
