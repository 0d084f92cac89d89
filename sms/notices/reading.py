"""What a person does with notices: reading them, and choosing how to be told. Called by pages."""

from datetime import datetime
from typing import Any

from sms.models import Notice, NoticeChoices, NoticeWay
from sms.models.sql.clock import corrected_now
from sms.notices.digest import next_digest
from sms.values import time_zones


def mark_read(person: Any, *, pk: int | None = None, until: int | None = None) -> None:
    """One, or all up to the id `until`. What was read is not mailed any more."""
    found = Notice.objects.filter(person=person, seen_at=None)
    found = found.filter(pk=pk) if pk is not None else found.filter(pk__lte=until)
    found.update(seen_at=corrected_now(), mail_due_at=None)


def follow_choices(person: Any, choices: NoticeChoices, *, now: datetime) -> None:
    """A daily mail that is still to come moves to the hour that was chosen."""
    waiting = Notice.objects.filter(person=person, way=NoticeWay.DIGEST, mail_due_at__gt=now)
    for one in waiting.select_related("service"):
        zone = time_zones.or_utc(person.time_zone or (one.service.time_zone if one.service else ""))
        due = next_digest(now, hour=choices.digest_hour, zone=zone)
        Notice.objects.filter(pk=one.pk, mail_due_at=one.mail_due_at).update(mail_due_at=due)


def try_again(person: Any) -> None:
    """Forget that mail came back."""
    NoticeChoices.objects.filter(person=person).update(refused_address="", refused_says="", refused_at=None)
