"""The lease of slices as a fence: renewed by every transaction that arms messages, so in one statement where that is possible."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import connection

from sms.models.send import Slice

_RENEW = (
    "WITH mine AS MATERIALIZED (SELECT id FROM sms_slice WHERE id = ANY(%s) AND owner = %s AND NOT done ORDER BY id FOR NO KEY UPDATE)"
    " UPDATE sms_slice SET leased_until = statement_timestamp() + make_interval(secs => %s) FROM mine"
    " WHERE sms_slice.id = mine.id RETURNING sms_slice.id"
)


def renew(slice_ids: Sequence[int], owner: str, *, lease: timedelta) -> set[int]:
    """Renew those of these that are the owner's and open, locked until the transaction ends; returns their ids.

    An UPDATE locks rows in whatever order its plan finds them; two that lock the same ones in different orders wait for each other. So
    PostgreSQL locks them by key first, as everything does (`Slice.of_send`).
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_RENEW, [list(slice_ids), owner, lease.total_seconds()])
            return {pk for (pk,) in cursor.fetchall()}
    mine = Slice.objects.filter(pk__in=slice_ids, owner=owner, done=False)
    if mine.renew(owner, lease=lease) == len(slice_ids):
        return set(slice_ids)
    return set(mine.values_list("pk", flat=True))
