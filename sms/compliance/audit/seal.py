"""Sealing: give every row that has no place yet the next number in the chain of its service.

One process at a time does it, a few seconds behind the acts. Order is that of sealing, by id within a run: a transaction that took
its id early and committed late gets a higher number, which is all that happens to it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.db import Error, connection, transaction

from sms.models import AuditSeal, audit_proof
from sms.models.sql.audit_rows import body_of
from sms.models.sql.insert import insert
from sms.models.sql.session import hold_lock
from sms.models.sql.trouble import is_damage

log = structlog.get_logger(__name__)

AT_ONCE = 5000
# A late row is searched for among so many ids below the last sealed one every time, and among all of them before a checkpoint or a
# verification: a transaction that commits that late has held locks for long.
LOOK_BACK = 20_000
LOWEST = -(1 << 62)  # ids begin at 1; a row below was put there by hand, and must be found
LOCK = 0x7E47_A0D1  # its number
COLUMNS = ("event_id", "service_slug", "number", "digest", "hash", "mac")


@dataclass(frozen=True, slots=True)
class Head:
    service_slug: str
    number: int
    hash: str


def seal(*, thorough: bool = False, at_once: int = AT_ONCE) -> dict[str, Head]:
    """Seal what is not sealed; returns the new heads by service. `thorough` looks at every row instead of the latest."""
    heads: dict[str, Head] = {}
    while _unsealed(thorough, 1):  # without a lock, so that nothing is written while nothing happens
        with transaction.atomic():
            lock()
            rows = _unsealed(thorough, at_once)
            heads |= _chain(rows)
        if len(rows) < at_once:
            break
    return heads


def seal_what_can_be_read() -> None:
    """Everything, for whoever verifies: what is damaged is left, and the walk of its chain says which row it is."""
    try:
        seal(thorough=True)
    except Error as problem:
        if not is_damage(problem):
            raise
        log.exception("audit_damaged")


def lock() -> None:
    """Wait until no other process seals or retires; until the end of the transaction."""
    hold_lock(LOCK)


def _since(thorough: bool) -> int:
    if thorough:
        return LOWEST
    last = AuditSeal.objects.order_by("-event_id").values_list("event_id", flat=True).first()
    return (last or 0) - LOOK_BACK


_MISSING = " FROM sms_auditevent e WHERE e.id > %s AND NOT EXISTS (SELECT 1 FROM sms_auditseal s WHERE s.event_id = e.id)"


def _unsealed(thorough: bool, at_once: int) -> list[tuple[int, str, bytes]]:
    body = body_of("e")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT e.id, e.service_slug, {body}{_MISSING} ORDER BY e.id LIMIT {int(at_once)}",
            [_since(thorough)],
        )
        return [(pk, _slug(slug), _bytes(said)) for pk, slug, said in cursor.fetchall()]


def _slug(found: object) -> str:
    """Its chain, whatever somebody wrote into the column: the row must get a place, where it is found not to hold."""
    return found if isinstance(found, str) else bytes(found or b"").decode(errors="replace")  # type: ignore[call-overload]


def _bytes(said: object) -> bytes:
    return said.encode() if isinstance(said, str) else bytes(said)  # type: ignore[call-overload]


def _chain(rows: Sequence[tuple[int, str, bytes]]) -> dict[str, Head]:
    by_service: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
    for pk, slug, said in rows:
        by_service[slug].append((pk, said))
    heads, seals = {}, []
    for slug, mine in by_service.items():
        last = head_of(slug)
        number, before = last.number, last.hash
        key = audit_proof.audit_keys.of(slug)[0]
        for pk, said in mine:
            number += 1
            row_digest = audit_proof.digest(said)
            before = audit_proof.link(before, slug, number, pk, row_digest)
            seals.append((pk, slug, number, row_digest, before, audit_proof.seal_mac(key, before)))
        heads[slug] = Head(slug, number, before)
    if seals:
        insert(AuditSeal, COLUMNS, seals)
    return heads


def head_of(service_slug: str) -> Head:
    """The last seal of a service; number 0 before its first."""
    last = AuditSeal.objects.filter(service_slug=service_slug).order_by("-number").first()
    return Head(service_slug, last.number, last.hash) if last else Head(service_slug, 0, audit_proof.START)
