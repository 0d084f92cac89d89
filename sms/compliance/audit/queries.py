"""Filters for rows of a chain, used by the audit page and its exports."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from sms.models import AuditEvent


@dataclass(frozen=True, slots=True)
class Selection:
    """Empty fields choose everything. `who` and `words` are searched for within texts, letters of either case."""

    who: str = ""
    act: str = ""
    noun: str = ""
    door: str = ""
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self == Selection()


def rows_of(service_slug: str, chosen: Selection) -> "QuerySet[AuditEvent]":
    rows = AuditEvent.objects.filter(service_slug=service_slug).order_by("-pk")
    for name in ("act", "door"):
        if value := getattr(chosen, name):
            rows = rows.filter(**{name: value})
    if chosen.noun:
        rows = rows.filter(act__startswith=f"{chosen.noun}.")
    if chosen.who:
        rows = rows.filter(actor_label__icontains=chosen.who)
    if chosen.since:
        rows = rows.filter(at__gte=chosen.since)
    if chosen.until:
        rows = rows.filter(at__lt=chosen.until)
    if chosen.words:
        rows = rows.annotate(text=Cast("details", TextField())).filter(
            Q(noun_key=chosen.words) | Q(text__icontains=chosen.words)
        )
    return rows
