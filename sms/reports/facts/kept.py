"""What deleted messages had added to the facts, so that facts can be rebuilt without them. Called by the archive."""

from django.db import transaction
from django.db.models import Sum

from sms.models import KeptFact, Message
from sms.models.fact import FIGURES, NAMED
from sms.models.sql import id_list
from sms.models.sql.facts import ledger_table as ledger
from sms.models.sql.facts.dialect import register_functions
from sms.models.sql.facts.profiles import name_sends

SUM_FROM = 50  # rows


def keep(first_id: int, last_id: int) -> None:
    """Keep what messages from one id to another add to the facts; call it in the transaction that deletes them, before it does."""
    with transaction.atomic():
        register_functions()
        ids = f"id BETWEEN {int(first_id)} AND {int(last_id)}"
        name_sends(f"(SELECT send_id FROM {Message._meta.db_table} WHERE {ids})")  # noqa: S608 - words of ours; values are parameters
        ledger.add_messages(first_id, last_id, into=KeptFact._meta.db_table)


def sum_kept(send_id: int) -> None:
    """Sum what the blocks of a long send left of facts: each left the same few hundred figures."""
    kept = KeptFact.objects.filter(send_id=send_id)
    if kept.count() < SUM_FROM:
        return
    ids = list(kept.values_list("pk", flat=True))
    named = list(NAMED)
    sums = {f"sum_{name}": Sum(name) for name in FIGURES}
    totals = list(kept.order_by().values(*named).annotate(**sums))
    if len(totals) > len(ids) * 3 // 4:
        return
    KeptFact.objects.filter(pk__in=id_list.among(ids)).delete()
    summed = (
        KeptFact(**{name: row[name] for name in named}, **{name: row[f"sum_{name}"] for name in FIGURES})
        for row in totals
    )
    KeptFact.objects.bulk_create(summed, batch_size=500)
