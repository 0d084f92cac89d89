"""The holidays of a service: read from lines with a date and a name, replaced as a whole, and taken over by what is planned."""

import re
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from sms.models import Actor, Holiday, RecurringSend, Service
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.sends.recurring import timetable
from sms.words import moment
from sms.words import number as number_of

MOST = 500
LONGEST_NAME = 80
_LINE = re.compile(r"\s*[\"']?(\d{4})-(\d{1,2})-(\d{1,2})[\"']?\s*[,;:\t ]?\s*(.*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class BadLine:
    number: int
    says: str


def read(text: str) -> tuple[dict[date, str], list[BadLine]]:
    """Lines like `2026-12-25 Christmas Day` or `2026-12-25,Christmas Day` → days with their names, and what is wrong with others.

    Empty lines and a first line without any digit, as of a file with headings, are passed over.
    """
    found: dict[date, str] = {}
    wrong: list[BadLine] = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip().lstrip("\ufeff")
        if not line or (number == 1 and not re.search(r"\d", line)):
            continue
        match = _LINE.fullmatch(line)
        shown = line if len(line) <= 40 else f"{line[:40]}…"
        if match is None:
            says = _("Line %(line)s: “%(text)s” does not begin with a date like 2026-12-25.")
            wrong.append(BadLine(number, says % {"line": number, "text": shown}))
            continue
        try:
            day = date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            says = _("Line %(line)s: “%(text)s” is a day that no calendar has.")
            wrong.append(BadLine(number, says % {"line": number, "text": shown}))
            continue
        name = " ".join(match[4].strip("\"' ").split())
        if day in found:
            says = _("Line %(line)s: %(day)s is there already, as “%(name)s”.")
            told = {"line": number, "day": moment(day, "j F Y"), "name": found[day]}
            wrong.append(BadLine(number, says % told))
        elif len(name) > LONGEST_NAME:
            says = _("Line %(line)s: the name has more than %(most)s characters.")
            wrong.append(BadLine(number, says % {"line": number, "most": LONGEST_NAME}))
        else:
            found[day] = name or "holiday"
    if len(found) > MOST:
        says = _("There are %(days)s days; %(most)s at most are kept. Leave out what is past.")
        wrong.append(BadLine(0, says % {"days": number_of(len(found)), "most": MOST}))
    return found, wrong


def as_text(service: Service) -> str:
    """What `read` reads back."""
    return "\n".join(f"{one.on:%Y-%m-%d} {one.name}" for one in Holiday.objects.filter(service=service))


def replace(service: Service, days: dict[date, str], *, by: Actor, now: datetime | None = None) -> int:
    """All of them; returns how many recurring sends have another next occurrence because of it."""
    now, moved = now or corrected_now(), 0
    with transaction.atomic():
        locked = RecurringSend.objects.select_for_update(of=("self",)).order_by("pk")
        running = list(locked.filter(service=service, state=RecurringSend.State.RUNNING))
        before = timetable.holidays_of(service.pk)
        if before == days:
            return 0
        Holiday.objects.filter(service=service).delete()
        Holiday.objects.bulk_create(Holiday(service=service, on=on, name=name) for on, name in days.items())
        for one in running:
            planned = one.next_at
            timetable.set_next(one, days, now=now)
            if one.next_at != planned:
                moved += 1
                one.save()
        added, removed = len(days.keys() - before.keys()), len(before.keys() - days.keys())
        audit("recurring_send.holidays_changed", service, by=by, days=len(days), added=added, removed=removed)
    return moved
