"""What every process counted, kept in the database by host; and figures of all messages, which are worked out once a minute for all.

A scrape then reads one small table, however many facts there are.
"""

from collections import defaultdict

from django.db import DatabaseError, transaction

from sms.models import MessageState, MeterTotal, Service
from sms.models.fact import TIMES
from sms.models.sql import meter_totals
from sms.operations.own_facts import HOST
from sms.reports.levels import measured
from sms.values.histogram import EDGES, middle
from sms.values.meters import labels_of, meters

LES = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400)  # seconds
UNCONFIRMED, UNCONFIRMED_MESSAGES = MessageState.UNCONFIRMED.value, "textdesk_unconfirmed_messages"
STEP = "textdesk_step_seconds"


def keep() -> None:
    """Add what this process counted since the last time; while the database is away it is kept in memory."""
    taken = meters.take()
    if not taken:
        return
    try:
        with transaction.atomic():
            meter_totals.add(HOST, taken)
    except DatabaseError:
        meters.give_back(taken)
        raise


def work_out() -> None:
    """The figures of all messages, as of now."""
    slugs = dict(Service.objects.values_list("pk", "slug"))
    found: dict[tuple[str, str], float] = {}
    times: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    for service_id, measure, word, bucket, count in measured():
        if (slug := slugs.get(service_id)) is None:
            continue
        if measure in TIMES:
            times[slug, measure][bucket] = count
        elif measure == "state":
            found["textdesk_messages", labels_of(service=slug, state=word)] = count
        elif measure == "click":
            found["textdesk_clicked_messages", labels_of(service=slug, by=word)] = count
        else:
            found["textdesk_opt_outs", labels_of(service=slug)] = count
    for slug in slugs.values():
        unconfirmed = found.get(("textdesk_messages", labels_of(service=slug, state=UNCONFIRMED)), 0)
        found[UNCONFIRMED_MESSAGES, labels_of(service=slug)] = unconfirmed
    for (slug, step), counts in times.items():
        labels, below = labels_of(service=slug, step=step), 0
        for le in LES:
            inside = sum(n for b, n in counts.items() if b < len(EDGES) and EDGES[b] <= le * 1000)
            found[f"{STEP}_bucket", f'{labels},le="{le:g}"'] = inside - below
            below = inside
        found[f"{STEP}_bucket", f'{labels},le="+Inf"'] = sum(counts.values()) - below
        found[f"{STEP}_sum", labels] = round(sum(middle(b) * n for b, n in counts.items()), 3)
    with transaction.atomic():
        MeterTotal.objects.filter(host="").delete()
        MeterTotal.objects.bulk_create(
            MeterTotal(host="", name=name, labels=labels, value=value)
            for (name, labels), value in found.items()
        )
