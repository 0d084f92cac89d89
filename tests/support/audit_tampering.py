"""What a person with SQL and without the key might do to the audit, at random, and which number it breaks first.

Called by the tests and by `tests.bench.audit`, inside a transaction that is rolled back, with the triggers taken away.
"""

import json
import random
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection

from sms.models import AuditEvent, audit_proof
from sms.models.sql.audit_rows import body_of

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
            self.empty_to_null,
            self.look_the_same,
            self.reorder_details,
            self.date_otherwise,
            self.retype,
            self.rewrite_from_here,
            self.put_between,
            self.pretend_retention,
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

    def empty_to_null(self) -> int:
        number, pk = self.chance.choice(self.seals)
        column = self.chance.choice(("address", "noun_key", "actor_key", "noun"))
        nullable(column)
        sql(f"UPDATE sms_auditevent SET {column} = '' WHERE id = %s", pk)
        sql(f"UPDATE sms_auditevent SET {column} = NULL WHERE id = %s", pk)
        return number

    def look_the_same(self) -> int:
        """Another text that a reader, a comparison without case or a normal form takes for the same."""
        number, pk = self.chance.choice(self.seals)
        column = self.chance.choice(("details", "actor_label", "act"))
        text = read(column, pk)
        decomposed = unicodedata.normalize("NFD", text)
        others = [text.upper(), f"{text} ", f"\u200b{text}", text.replace("a", "а"), text.replace("a", "ａ")]
        other = self.chance.choice([one for one in (*others, decomposed) if one != text])
        sql(f"UPDATE sms_auditevent SET {column} = %s WHERE id = %s", other, pk)
        return number

    def reorder_details(self) -> int:
        """The same JSON in another order or layout."""
        number, pk = self.chance.choice(self.seals)
        said = json.loads(read("details", pk))
        backwards = dict(reversed(said.items()))
        others = [json.dumps(said, ensure_ascii=False), json.dumps(backwards, separators=(",", ":"))]
        sql("UPDATE sms_auditevent SET details = %s WHERE id = %s", self.chance.choice(others), pk)
        return number

    def date_otherwise(self) -> int:
        """Some time earlier or later, or the same digits of another age."""
        number, pk = self.chance.choice(self.seals)
        by = self.chance.choice(("1 second", "-1 hour", "1 day", "-10 years"))
        if connection.vendor == "postgresql":
            before_christ = (
                "(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00 BC')::timestamptz"
            )
            others = (f"at + interval '{by}'", "at + interval '1 microsecond'", before_christ)
        else:
            others = (
                "replace(at, ' ', 'T')",
                "at || 'Z'",
                "at || '0'",
                f"datetime(at, '{by}')",
                "julianday(at)",
            )
        sql(f"UPDATE sms_auditevent SET at = {self.chance.choice(others)} WHERE id = %s", pk)
        return number

    def retype(self) -> int:
        """A value of another type that reads the same, so that questions for the text no longer find the row."""
        column = self.chance.choice(("noun_key", "act", "actor_label"))
        if connection.vendor == "postgresql":
            sql(f"ALTER TABLE sms_auditevent ALTER COLUMN {column} TYPE char(254)")
            return 1
        number, pk = self.chance.choice(self.seals)
        sql(f"UPDATE sms_auditevent SET {column} = CAST({column} AS BLOB) WHERE id = %s", pk)
        return number

    def rewrite_from_here(self) -> int:
        """An edit with every hash after it computed again, and MACs by a key of one's own."""
        at = self.chance.randrange(len(self.seals))
        number, pk = self.seals[at]
        sql("UPDATE sms_auditevent SET actor_label = 'eve@example.test' WHERE id = %s", pk)
        self._seal_again(at, self.seals[at:])
        return number

    def put_between(self) -> int:
        """An act that nobody did, with a seal of its own between two others."""
        at = self.chance.randrange(len(self.seals))
        names = ", ".join(COLUMNS)
        others = ", ".join(name if name != "nonce" else "'made-up'" for name in COLUMNS)
        sql(
            f"INSERT INTO sms_auditevent (id, {names}) SELECT %s, {others} FROM sms_auditevent WHERE id = %s",
            -at - 1,
            self.seals[at][1],
        )
        for number, pk in reversed(self.seals[at:]):
            sql("UPDATE sms_auditseal SET number = %s WHERE event_id = %s", number + 1, pk)
        moved = [(number + 1, pk) for number, pk in self.seals[at:]]
        sql(
            "INSERT INTO sms_auditseal (event_id, service_slug, number, digest, hash, mac) VALUES (%s, %s, %s, '', '', '')",
            -at - 1,
            SLUG,
            at + 1,
        )
        self._seal_again(at, [(at + 1, -at - 1), *moved])
        return at + 1

    def pretend_retention(self) -> int:
        """The beginning goes, and a row says that retention took it."""
        last = self.chance.randint(1, len(self.seals) - 1)
        names = ", ".join(COLUMNS)
        said = {
            "act": "'audit.retired'",
            "noun": "'audit'",
            "nonce": "'x'",
            "details": f"'{{\"until\":{last}}}'",
        }
        others = ", ".join(said.get(name, name) for name in COLUMNS)
        sql(
            f"INSERT INTO sms_auditevent ({names}) SELECT {others} FROM sms_auditevent WHERE id = %s",
            self.seals[-1][1],
        )
        sql("DELETE FROM sms_auditevent WHERE id = ANY_OF", *self._ids(1, last))
        return 1

    def _seal_again(self, at: int, seals: list[tuple[int, int]]) -> None:
        key = audit_proof.MacKey(b"a key of one's own")
        before = (
            audit_proof.START if not at else read("hash", self.seals[at - 1][1], "sms_auditseal", "event_id")
        )
        for number, pk in seals:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT {body_of('e')} FROM sms_auditevent e WHERE e.id = %s", [pk])
                (said,) = cursor.fetchone()
            digest = audit_proof.digest(said.encode() if isinstance(said, str) else bytes(said))
            before = audit_proof.link(before, SLUG, number, pk, digest)
            sql(
                "UPDATE sms_auditseal SET digest = %s, hash = %s, mac = %s WHERE event_id = %s",
                digest,
                before,
                audit_proof.seal_mac(key, before),
                pk,
            )

    def _some(self, leave: int = 0) -> tuple[int, int]:
        first = self.chance.randint(1, len(self.seals) - leave)
        return first, min(first + self.chance.randint(0, 5), len(self.seals) - leave)

    def _ids(self, first: int, last: int) -> list[int]:
        return [pk for _, pk in self.seals[first - 1 : last]]


def _other(column: str) -> str:
    """Another value of a text column, no longer than the one that was there."""
    return f"CASE WHEN {column} = '' THEN 'x' ELSE substr({column}, 1, length({column}) - 1) END"


def read(column: str, pk: int, table: str = "sms_auditevent", key: str = "id") -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} WHERE {key} = %s", [pk])
        return str(cursor.fetchone()[0])


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
