"""Counters are written as deltas; folding each counter's into one row keeps them quick to sum. A job of every worker's tick."""

from django.db import transaction
from django.db.models import Count, Max, Sum

from sms.models.send import StateCount

NEWEST = 50_000  # rows that are read: what grows is among them, and a squashed row is new again
KEY = ("send_id", "state", "code", "window")


def squash(*, keep: int = 16) -> int:
    """Fold the deltas of each counter that has more than `keep` into one row; returns the rows saved. Harmless at any time."""
    saved = 0
    newest = StateCount.objects.aggregate(newest=Max("pk"))["newest"] or 0
    crowded = (
        StateCount.objects.filter(pk__gt=newest - NEWEST)
        .values(*KEY)
        .annotate(rows=Count("id"))
        .filter(rows__gt=keep)
        .order_by("send_id")
    )
    for found in list(crowded):
        with transaction.atomic():
            key = {name: found[name] for name in KEY}
            rows = StateCount.objects.select_for_update().filter(**key).order_by("pk")
            ids = list(rows.values_list("pk", flat=True))
            total = StateCount.objects.filter(pk__in=ids).aggregate(total=Sum("delta"))["total"] or 0
            StateCount.objects.filter(pk__in=ids).delete()
            if total:
                StateCount.objects.create(**key, delta=total)
            saved += len(ids) - 1
    return saved
