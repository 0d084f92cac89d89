"""Verifying: walk a chain from its first seal to its last and say which row is the first that is not as it was written.

Each seal is read with its row, and the row's body is made by the database from what the columns hold now. What stands in the
database alone cannot show that its end was cut off; the points that a `Book` or the log stream kept do.
"""

import functools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections

from sms.compliance.audit.checkpoint import Point
from sms.compliance.audit.retire import retired_until
from sms.compliance.audit.seal import seal
from sms.models import AuditEvent, AuditSeal, audit_proof
from sms.models.sql import audit_guard
from sms.models.sql.audit_body import audit_body

PAGE = 20_000
DESK = "the desk itself"
START = audit_proof.START


@dataclass(frozen=True, slots=True)
class Broken:
    """The first row that does not hold: its number in the chain, its id where known, and why, as a sentence."""

    number: int
    event_id: int | None
    why: str


@dataclass(slots=True)
class ChainVerdict:
    """What a walk found. `rows` were read and hold; `left` went by retention; `broken` is the first that does not hold."""

    service_slug: str
    rows: int = 0
    left: int = 0
    number: int = 0
    checkpoints: int = 0
    seconds: float = 0.0
    complete: bool = True
    guarded: bool = True
    broken: Broken | None = None
    hash: str = field(default=START)

    @property
    def name(self) -> str:
        """The chain, for a person."""
        return self.service_slug or DESK

    @property
    def sentence(self) -> str:
        """One line for a person."""
        if self.broken:
            return (
                f"{self.name}: row {self.broken.number:,} is the first that does not hold. {self.broken.why}"
            )
        parts = [f"{self.name}: {self.rows:,} row{'' if self.rows == 1 else 's'} hold"]
        if self.left:
            parts.append(f"{self.left:,} left by retention")
        parts.append(f"{self.checkpoints:,} checkpoint{'' if self.checkpoints == 1 else 's'} agree")
        return f"{', '.join(parts)}."


class MissingSeals(Exception):
    """A page of seals that is missing, with later ones there."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class UnreadableRow(MissingSeals):
    """A row that the database holds and cannot give."""


def services() -> list[str]:
    """The slugs of all chains, that of the desk itself (an empty one) first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT service_slug FROM sms_auditseal")
        found = {slug for (slug,) in cursor.fetchall()}
        cursor.execute("SELECT DISTINCT service_slug FROM sms_auditevent")
        return sorted(found | {slug for (slug,) in cursor.fetchall()})


def verify(
    service_slug: str,
    *,
    points: Iterable[Point] = (),
    after: tuple[int, str] = (0, START),
    seconds: float | None = None,
) -> ChainVerdict:
    """Check a chain, sealing what is not sealed first.

    `points` are heads known from elsewhere. With `seconds` it stops at the next page once they are over, `complete` then being False,
    and goes on with `after`, the `number` and `hash` of the verdict before.
    """
    seal(thorough=True)
    started = time.monotonic()
    verdict = walked(service_slug, after=after, seconds=seconds)
    if verdict.complete and not verdict.broken:
        verdict.broken = twice(service_slug)
    compare(verdict, points)
    verdict.guarded = audit_guard.standing()
    verdict.seconds = time.monotonic() - started
    return verdict


def walked(
    service_slug: str,
    *,
    after: tuple[int, str] = (0, START),
    until: int | None = None,
    seconds: float | None = None,
) -> ChainVerdict:
    """The seals after one of them, each with its row, in order; up to number `until`, or to the last."""
    started = time.monotonic()
    verdict = ChainVerdict(service_slug, number=after[0], hash=after[1])
    walk = _Walk(verdict)
    try:
        for page in _pages(service_slug, after[0], until=until):
            walk.check(page)
            if verdict.broken:
                break
            if seconds is not None and time.monotonic() - started > seconds:
                verdict.complete = verdict.number >= _last(service_slug)
                break
    except UnreadableRow as problem:
        verdict.broken = Broken(problem.number, None, "It holds what cannot be read as text.")
    except MissingSeals as problem:
        verdict.broken = Broken(problem.number, None, "Its seal is missing, and many after it.")
    if until is not None and verdict.number < until and not verdict.broken and verdict.complete:
        verdict.broken = Broken(verdict.number + 1, None, "Its seal is missing.")
    return verdict


def wrong_with(event_id: int) -> str:
    """Why one sealed row does not hold by itself and after the seal before it, as a sentence; empty where it does."""
    place = AuditSeal.objects.get(pk=event_id)
    before = AuditSeal.objects.filter(service_slug=place.service_slug, number=place.number - 1).first()
    if before is None and place.number > 1:
        return "The seal before its own is missing."
    verdict = ChainVerdict(place.service_slug, number=place.number - 1, hash=before.hash if before else START)
    walk, pages = _Walk(verdict), _pages(place.service_slug, place.number - 1, size=1)
    walk.check(next(pages))
    return verdict.broken.why if verdict.broken else ""


# number, event id, digest, hash, seal's mac; the row's id, body and mac, or None where there is no row
Row = tuple[int, int, str, str, str, int | None, str | bytes | None, str | None]


def _pages(
    service_slug: str, after: int, size: int | None = None, *, until: int | None = None
) -> Iterator[Sequence[Row]]:
    last, size = _last(service_slug) if until is None else until, size or PAGE
    with ThreadPoolExecutor(1) as pool:
        size = min(size, last - after) or size
        page_of = _ask(pool, service_slug, after, size)
        while after < last:
            try:
                page = page_of()
            except (DatabaseError, UnicodeDecodeError):
                if size == 1:
                    raise UnreadableRow(after + 1) from None
                size = 1  # one of these cannot even be read: go up to it row by row
                page_of = _ask(pool, service_slug, after, size)
                continue
            if not page:
                raise MissingSeals(after + 1)
            after += size
            size = min(size, last - after) or size
            page_of = _ask(pool, service_slug, after, size)
            yield page


def _ask(pool: ThreadPoolExecutor, service_slug: str, after: int, size: int) -> Callable[[], Sequence[Row]]:
    """A page to come. PostgreSQL, a process of its own, makes it while the caller hashes the one before."""
    # both ends are given, so that PostgreSQL plans for a page even where it knows nothing of the table yet
    text = (
        f"SELECT s.number, s.event_id, s.digest, s.hash, s.mac, e.id, {audit_body()}, e.mac"  # noqa: S608
        " FROM sms_auditseal s LEFT JOIN sms_auditevent e ON e.id = s.event_id"
        " WHERE s.service_slug = %s AND s.number > %s AND s.number <= %s ORDER BY s.number"
    )
    values = [service_slug, after, after + size]
    if connection.vendor != "postgresql":
        return functools.partial(_read, connection, text, values)
    connection.ensure_connection()
    # the object itself: `connection` is another one on another thread
    return pool.submit(_read_beside, connections[DEFAULT_DB_ALIAS], text, values).result


def _read(database: Any, text: str, values: Sequence[object]) -> Sequence[Row]:
    with database.cursor() as cursor:
        cursor.execute(text, values)
        return cast("Sequence[Row]", cursor.fetchall())


def _read_beside(database: Any, text: str, values: Sequence[object]) -> Sequence[Row]:
    """On another thread, by the driver's own connection, which takes turns by itself."""
    with database.wrap_database_errors, database.connection.cursor() as cursor:
        cursor.execute(text, values)
        return cast("Sequence[Row]", cursor.fetchall())


class _Walk:
    """One pass over a chain."""

    def __init__(self, verdict: ChainVerdict) -> None:
        self._verdict = verdict
        self._slug = verdict.service_slug
        self._keys = audit_proof.audit_keys.of(self._slug)
        self._row_key = self._seal_key = self._keys[0]
        self._retired: int | None = None

    def check(self, page: Sequence[Row]) -> None:
        """Go through a page; stops at the first that does not hold."""
        verdict, slug = self._verdict, self._slug
        number, before = verdict.number, verdict.hash
        link, digest_of, seal_of = audit_proof.link, audit_proof.digest, audit_proof.seal_mac
        row_key, seal_key = self._row_key, self._seal_key
        rows = 0
        for got, event_id, digest, hash_, seal_mac, row_id, body, mac in page:
            number += 1
            if got != number:
                self._stop(number, None, f"Its seal is missing; the next one is number {got}.")
                return
            if row_id is None:
                if not self._left(number, event_id):
                    return
            elif body is None:
                self._stop(number, event_id, self._what(event_id, "a column is empty that never is"))
                return
            else:
                said = body.encode() if isinstance(body, str) else body
                if row_key.mac(said) != mac:
                    other = self._other_key(said, str(mac))
                    if other is None:
                        self._stop(number, event_id, self._what(event_id, "its fields do not fit its MAC"))
                        return
                    row_key = other
                if digest_of(said) != digest:
                    self._stop(number, event_id, self._what(event_id, "it is not the row that was sealed"))
                    return
                rows += 1
            if link(before, slug, number, event_id, digest) != hash_:
                self._stop(number, event_id, "Its seal does not follow from the one before.")
                return
            if seal_of(seal_key, hash_) != seal_mac:
                fits = next((key for key in self._keys if seal_of(key, hash_) == seal_mac), None)
                if fits is None:
                    self._stop(number, event_id, "Its seal was not made with any of today's AUDIT_KEYS.")
                    return
                seal_key = fits
            before = hash_
            verdict.number, verdict.hash = number, before
        verdict.rows += rows
        self._row_key, self._seal_key = row_key, seal_key

    def _left(self, number: int, event_id: int) -> bool:
        if self._retired is None or number > self._retired:
            self._retired = retired_until(self._slug)  # again: retention may be at work beside us
        if number <= self._retired:
            self._verdict.left += 1
            return True
        self._stop(
            number, event_id, f"The row is gone (it had id {event_id}), and retention did not take it."
        )
        return False

    def _other_key(self, said: bytes, mac: str) -> audit_proof.MacKey | None:
        return next((key for key in self._keys if key.mac(said) == mac), None)

    def _what(self, event_id: int, wrong: str) -> str:
        try:
            row = AuditEvent.objects.filter(pk=event_id).first()
        except Exception:  # whatever was written into it: that it is broken is known by now
            row = None
        shown = f" ({row.at:%Y-%m-%d %H:%M:%S} UTC, {row.act[:40]}, {row.actor_label[:80]})" if row else ""
        return f"Row id {event_id}{shown} was changed: {wrong}."

    def _stop(self, number: int, event_id: int | None, why: str) -> None:
        self._verdict.broken = Broken(number, event_id, why)


def twice(service_slug: str) -> Broken | None:
    """The first row that is a copy of an earlier one: no two say the same, because each has a nonce."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT digest FROM sms_auditseal WHERE service_slug = %s GROUP BY digest HAVING count(*) > 1 LIMIT 1000",
            [service_slug],
        )
        digests = [digest for (digest,) in cursor.fetchall()]
    copies = AuditSeal.objects.filter(service_slug=service_slug, digest__in=digests).order_by("number")
    seen: dict[str, int] = {}
    for one in copies if digests else ():
        if one.digest in seen:
            why = f"Row id {one.event_id} is a copy of number {seen[one.digest]:,}."
            return Broken(one.number, one.event_id, why)
        seen[one.digest] = one.number
    return None


def compare(verdict: ChainVerdict, points: Iterable[Point]) -> None:
    """Whether the chain holds what was known of it elsewhere; names the first number that cannot be as it was."""
    agreed, mine = 0, [point for point in points if point.service == verdict.service_slug]
    for point in sorted(mine, key=lambda one: one.number):
        if point.number > verdict.number and not verdict.complete:
            return
        stored = AuditSeal.objects.filter(service_slug=verdict.service_slug, number=point.number).first()
        if stored is not None and stored.hash == point.hash:
            agreed = point.number
            verdict.checkpoints += 1
            continue
        last = _last(verdict.service_slug)
        if stored is None and last < point.number:
            first, why = last + 1, f"The chain ends at {last:,}, and a checkpoint of {point.at} knows number"
            why = f"{why} {point.number:,}. Rows were cut off, or the database is an older copy."
        else:
            first = agreed + 1
            if verdict.broken and first <= verdict.broken.number <= point.number:
                return  # the walk knows it exactly
            why = f"Number {point.number:,} is another one than the checkpoint of {point.at} knows; all up to {agreed:,} is as it was."
        if verdict.broken is None or first < verdict.broken.number:
            verdict.broken = Broken(first, None, why)
        return


def _last(service_slug: str) -> int:
    found = AuditSeal.objects.filter(service_slug=service_slug).order_by("-number").first()
    return found.number if found else 0
