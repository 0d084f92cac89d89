"""Opt-outs asked for by many numbers at once, and the lock between adding one and arming messages."""

import json
from collections.abc import Iterable, Sequence

from django.db import connection

_LOCKS = 0x5354  # our room among PostgreSQL's advisory locks


def stored_in_force(service_id: int, numbers: Sequence[str]) -> set[str]:
    """Those of the numbers, as they are stored, that are opted out. They go as one text: a parameter each took longer than the query."""
    wanted = "%s"
    if len(numbers) > 1 and connection.vendor == "postgresql":
        wanted = "SELECT json_array_elements_text(%s)"
    elif len(numbers) > 1:
        wanted = "SELECT value FROM json_each(%s)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT msisdn FROM sms_optout WHERE service_id = %s AND lifted_at IS NULL AND msisdn IN ({wanted})",  # noqa: S608 - words of ours; values are parameters
            [service_id, json.dumps(numbers) if len(numbers) > 1 else numbers[0]],
        )
        return {msisdn for (msisdn,) in cursor.fetchall()}


def lock_opt_outs(service_ids: Iterable[int], *, share: bool = False) -> None:
    """Until the transaction ends, no opt-out is added to these services while others read them, nor read while one is added.

    Adding takes it alone; arming shares it, and reads afterwards. So an opt-out commits either before that reading, which then sees
    it, or after everything that was armed without it. On SQLite one writer at a time is that already.
    """
    # a lock has 32 bits, and an id has more after a restore: two services may share one. Sorted by what is locked
    ids = sorted({one & 0x7FFFFFFF for one in service_ids})
    if not ids or connection.vendor != "postgresql":
        return
    function = "pg_advisory_xact_lock_shared" if share else "pg_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, id) FROM unnest(%s::int[]) AS id", [_LOCKS, ids])  # noqa: S608 - words of ours; values are parameters
