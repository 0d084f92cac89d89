"""What a person with SQL and without the key might do to the audit, at random, and which number it breaks first.

Called by the tests and by `tests.bench.audit`, inside a transaction that is rolled back, with the triggers taken away.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection

from sms.models import AuditEvent

SLUG = "shop"
COLUMNS = (*AuditEvent.PROVEN, "mac")


@dataclass
class Tamperer:
    """`seals` are (number, event id) of the chain as it was made, numbers from 1 without gaps."""

    seals: list[tuple[int, int]]
    chance: random.Random

    @property
    def kinds(self) -> list[Callable[[], int]]:
        return [
            self.edit,
            self.edit_seal,
            self.delete,
            self.delete_seal,
            self.delete_both,
            self.swap,
            self.swap_numbers,
            self.swap_rows_of_seals,
            self.cut_off_rows,
            self.cut_off_both,
            self.cut_off_everything,
            self.move_to_another_service,
            self.copy,
            self.forge,
            self.hide_a_column,
        ]

    def edit(self) -> int:
        """One column of one row."""
        number, pk = self.chance.choice(self.seals)
        column = self.chance.choice(COLUMNS)
        if column == "at":
            later = (
                "at + interval '1 second'"
                if connection.vendor == "postgresql"
                else "datetime(at, '+1 second')"
            )
            sql(f"UPDATE sms_auditevent SET at = {later} WHERE id = %s", pk)
        else:
            sql(f"UPDATE sms_auditevent SET {column} = {_other(column)} WHERE id = %s", pk)
        return number

    def hide_a_column(self) -> int:
        """Its text moves to the end of the column before, and NULL stays, which a join of columns may leave out."""
        number, pk = self.chance.choice(self.seals)
        column, before = self.chance.choice((("details", "noun_key"), ("noun", "act"), ("address", "door")))
        nullable(column)
        joint = self.chance.choice(("''", f"{'char' if connection.vendor == 'sqlite' else 'chr'}(31)"))
        sql(
            f"UPDATE sms_auditevent SET {before} = {before} || {joint} || {column}, {column} = NULL WHERE id = %s",
            pk,
        )
        return number

    def edit_seal(self) -> int:
        number, pk = self.chance.choice(self.seals)
        column = self.chance.choice(("digest", "hash", "mac"))
        sql(f"UPDATE sms_auditseal SET {column} = {_other(column)} WHERE event_id = %s", pk)
        return number

    def delete(self) -> int:
        first, last = self._some()
        sql("DELETE FROM sms_auditevent WHERE id = ANY_OF", *self._ids(first, last))
        return first

    def delete_seal(self) -> int:
        """Of the last ones alone it would do nothing: they are made again as they were."""
        first, last = self._some(leave=1)
        sql("DELETE FROM sms_auditseal WHERE event_id = ANY_OF", *self._ids(first, last))
        return first

    def delete_both(self) -> int:
        first, last = self._some(leave=1)
        for table, key in (("sms_auditevent", "id"), ("sms_auditseal", "event_id")):
            sql(f"DELETE FROM {table} WHERE {key} = ANY_OF", *self._ids(first, last))
        return first

    def swap(self) -> int:
        """The whole content of two rows."""
        (number, pk), (other_number, other) = self.chance.sample(self.seals, 2)
        rows = {}
        names = ", ".join(COLUMNS)
        with connection.cursor() as cursor:
            for one in (pk, other):
                cursor.execute(f"SELECT {names} FROM sms_auditevent WHERE id = %s", [one])
                rows[one] = cursor.fetchone()
        columns = ", ".join(f"{name} = %s" for name in COLUMNS)
        sql(f"UPDATE sms_auditevent SET {columns} WHERE id = %s", *rows[pk], other)
        sql(f"UPDATE sms_auditevent SET {columns} WHERE id = %s", *rows[other], pk)
        return min(number, other_number)

    def swap_numbers(self) -> int:
        (number, pk), (other_number, other) = self.chance.sample(self.seals, 2)
        for value, one in ((-1, pk), (number, other), (other_number, pk)):
            sql("UPDATE sms_auditseal SET number = %s WHERE event_id = %s", value, one)
        return min(number, other_number)

    def swap_rows_of_seals(self) -> int:
        """Which row a seal is of."""
        (number, pk), (other_number, other) = self.chance.sample(self.seals, 2)
        for value, one in ((-1, number), (pk, other_number), (other, number)):
            sql(
                "UPDATE sms_auditseal SET event_id = %s WHERE service_slug = %s AND number = %s",
                value,
                SLUG,
                one,
            )
        return min(number, other_number)

    def cut_off_rows(self) -> int:
        first = self.chance.randint(2, len(self.seals))
        sql("DELETE FROM sms_auditevent WHERE id >= %s AND service_slug = %s", self.seals[first - 1][1], SLUG)
        return first

    def cut_off_both(self) -> int:
        first = self.cut_off_rows()
        sql("DELETE FROM sms_auditseal WHERE number >= %s AND service_slug = %s", first, SLUG)
        return first

    def cut_off_everything(self) -> int:
        for table in ("sms_auditevent", "sms_auditseal"):
            sql(f"{'TRUNCATE' if connection.vendor == 'postgresql' else 'DELETE FROM'} {table}")
        return 1

    def move_to_another_service(self) -> int:
        number, pk = self.chance.choice(self.seals)
        table, key = self.chance.choice((("sms_auditevent", "id"), ("sms_auditseal", "event_id")))
        sql(f"UPDATE {table} SET service_slug = 'foreign' WHERE {key} = %s", pk)
        return number

    def copy(self) -> int:
        """An act that was done once, a second time."""
        names = ", ".join(COLUMNS)
        sql(
            f"INSERT INTO sms_auditevent ({names}) SELECT {names} FROM sms_auditevent WHERE id = %s",
            self.chance.choice(self.seals)[1],
        )
        return len(self.seals) + 1

    def forge(self) -> int:
        """An act that nobody did."""
        names = ", ".join(COLUMNS)
        others = ", ".join(name if name != "nonce" else "'made-up'" for name in COLUMNS)
        sql(
            f"INSERT INTO sms_auditevent ({names}) SELECT {others} FROM sms_auditevent WHERE id = %s",
            self.chance.choice(self.seals)[1],
        )
        return len(self.seals) + 1

    def _some(self, leave: int = 0) -> tuple[int, int]:
        first = self.chance.randint(1, len(self.seals) - leave)
        return first, min(first + self.chance.randint(0, 5), len(self.seals) - leave)

    def _ids(self, first: int, last: int) -> list[int]:
        return [pk for _, pk in self.seals[first - 1 : last]]


def _other(column: str) -> str:
    """Another value of a text column, no longer than the one that was there."""
    return f"CASE WHEN {column} = '' THEN 'x' ELSE substr({column}, 1, length({column}) - 1) END"


def nullable(column: str) -> None:
    """As somebody who owns the database makes it; any column then has room for another's text."""
    if connection.vendor == "postgresql":
        sql(f"ALTER TABLE sms_auditevent ALTER COLUMN {column} DROP NOT NULL")
        for name in ("noun_key", "act", "door"):
            sql(f"ALTER TABLE sms_auditevent ALTER COLUMN {name} TYPE text")
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'sms_auditevent'")
        made = re.sub(rf'("{column}" \w+(\(\d+\))?) NOT NULL', r"\1", cursor.fetchone()[0])
        cursor.execute("PRAGMA writable_schema = ON")
        cursor.execute("UPDATE sqlite_master SET sql = %s WHERE name = 'sms_auditevent'", [made])
        cursor.execute("PRAGMA writable_schema = RESET")


def sql(text: str, *values: object) -> None:
    text = text.replace("= ANY_OF", f"IN ({', '.join(['%s'] * len(values))})")
    with connection.cursor() as cursor:
        cursor.execute(text, list(values))
