"""What may not be forgotten early: used codes and tries at sign-in, in a table of the database. `CACHES` names it.

Django's own cache in a table throws live entries away once it has 300, so that 420 cheap requests washed the counters off; and two that
add one key at once may both succeed, where the one before had expired. Here an entry stays until its time is over, one of two wins,
and what cannot be written is an error instead of silence. Rows that are over are deleted by a job (`sms.worker.expired`), so the table
has at most what came within the longest time that is asked for.
"""

import base64
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache
from django.db import connections, router
from django.utils import timezone

FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)


class KeptCache(DatabaseCache):
    _table: str

    def forget(self) -> int:
        """Delete what is over; returns how many that were."""
        return self._run("DELETE FROM {table} WHERE expires < %s", timezone.now())

    def _base_set(self, mode: str, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT) -> bool:
        """One statement, which both databases run as a whole. Raises DatabaseError."""
        until = self._until(timeout)
        if mode == "touch":
            statement = "UPDATE {table} SET expires = %s WHERE cache_key = %s AND expires >= %s"
            return bool(self._run(statement, until, key, timezone.now()))
        kept = base64.b64encode(pickle.dumps(value, self.pickle_protocol)).decode("latin1")
        statement = (
            "INSERT INTO {table} (cache_key, value, expires) VALUES (%s, %s, %s) "
            "ON CONFLICT (cache_key) DO UPDATE SET value = excluded.value, expires = excluded.expires"
        )
        if mode == "add":
            return bool(
                self._run(f"{statement} WHERE {{table}}.expires < %s", key, kept, until, timezone.now())
            )
        return bool(self._run(statement, key, kept, until))

    def _until(self, timeout: Any) -> datetime:
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        return FOR_EVER if seconds is None else timezone.now() + timedelta(seconds=seconds)

    def _run(self, statement: str, *values: Any) -> int:
        """How many rows it concerned."""
        connection = connections[router.db_for_write(self.cache_model_class)]
        adapt = connection.ops.adapt_datetimefield_value
        adapted = [adapt(value) if isinstance(value, datetime) else value for value in values]
        with connection.cursor() as cursor:
            cursor.execute(statement.format(table=connection.ops.quote_name(self._table)), adapted)
            return int(cursor.rowcount)
