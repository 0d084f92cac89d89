"""Opting out and in again: the only code that writes opt-outs. One transaction with its audit row, which never holds a number."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from sms.inbound.optouts.telling import ADDED, LIFTED, tell_refusals
from sms.ledger.counters import CounterDeltas
from sms.models import Actor, OptOut, Send, Service
from sms.models.audit import audit
from sms.models.optout import spellings
from sms.models.sql.clock import corrected_now
from sms.models.sql.opt_outs import lock_opt_outs
from sms.values.msisdn import country_of

AT_ONCE = 2000  # numbers in one statement
T = TypeVar("T")


class Refusal(NamedTuple):
    """One number (E.164 with its plus) that refused, and how we know."""

    msisdn: str
    evidence: str = ""
    send_id: int | None = None
    inbound_id: int | None = None
    message_id: int = 0


def opt_out(
    service_id: int, refusals: Sequence[Refusal], *, by: Actor, source: str, now: datetime | None = None
) -> set[str]:
    """Record refusals; returns the numbers that were not opted out before. Once committed, nothing is armed to any of them.

    Waits for processes that are arming messages of the service, so that afterwards each message is either armed or sees it; a long
    list goes in parts, each committed by itself, so that arming never waits for all of it.
    """
    by_number = {refusal.msisdn: refusal for refusal in reversed(refusals)}
    added: set[str] = set()
    for some in in_parts(list(by_number.items())):
        added |= _opt_out_some(service_id, dict(some), by=by, source=source, now=now)
    return added


def _opt_out_some(
    service_id: int, by_number: dict[str, Refusal], *, by: Actor, source: str, now: datetime | None
) -> set[str]:
    with transaction.atomic():
        lock_opt_outs([service_id])
        known = OptOut.in_force(service_id, list(by_number))
        new = [refusal for number, refusal in by_number.items() if number not in known]
        owners = _owners_of({refusal.send_id for refusal in new if refusal.send_id})
        made = OptOut.objects.bulk_create(
            (
                OptOut(
                    service_id=service_id,
                    msisdn=refusal.msisdn,
                    source=source,
                    evidence=refusal.evidence[:300],
                    send_id=refusal.send_id,
                    inbound_id=refusal.inbound_id,
                    by=by.label,
                    owner=by.owner or owners.get(refusal.send_id),
                    at=now or corrected_now(),
                )
                for refusal in new
            ),
            batch_size=AT_ONCE,
        )
        if made:
            tell_refusals(made, ADDED, answered={one.msisdn: one.message_id for one in new})
            deltas = CounterDeltas()
            for one in made:
                deltas.opted_out(service_id, one.send_id, one.at, country_of(one.msisdn))
            deltas.write()
            audit(
                "optout.added",
                by=by,
                service=_slug(service_id),
                noun="opt-out",
                key=made[0].pk if len(made) == 1 else "",
                source=source,
                added=len(made),
                already=len(known),
            )
    return {refusal.msisdn for refusal in new}


def _owners_of(send_ids: Collection[int]) -> dict[int | None, UUID | None]:
    """Whose the sends are that were answered."""
    return dict(Send.objects.filter(pk__in=send_ids).values_list("pk", "owner")) if send_ids else {}


def opt_in(
    service_id: int, msisdns: Collection[str], *, by: Actor, reason: str, now: datetime | None = None
) -> int:
    """Lift the opt-outs of these numbers; returns how many were in force. The reason stays with them, not in the audit."""
    with transaction.atomic():
        lifted: list[int] = []
        for some in in_parts(sorted(msisdns)):
            stored = spellings(service_id, some)
            rows = OptOut.objects.filter(service_id=service_id, lifted_at=None, msisdn__in=stored)
            found = list(rows.order_by("pk").values_list("pk", flat=True))
            if OptOut.objects.filter(pk__in=found, lifted_at=None).update(
                lifted_at=now or corrected_now(), lifted_by=by.label, lifted_because=reason[:150]
            ):
                lifted += found
                tell_refusals(list(OptOut.objects.filter(pk__in=found)), LIFTED)
        if lifted:
            audit(
                "optout.lifted",
                by=by,
                service=_slug(service_id),
                noun="opt-out",
                key=lifted[0] if len(lifted) == 1 else "",
                lifted=len(lifted),
            )
    return len(lifted)


def of_others(service_id: int, msisdns: Collection[str], *, owner: UUID) -> list[str]:
    """Those of the numbers whose refusal is in force and was not recorded by `owner`, nor as an answer to its sends."""
    found: list[str] = []
    for some in in_parts(sorted(msisdns)):
        stored = spellings(service_id, some)
        rows = OptOut.objects.filter(service_id=service_id, lifted_at=None, msisdn__in=stored)
        theirs = rows.filter(Q(owner=None) | ~Q(owner=owner)).order_by("pk")
        found += [stored[number] for number in theirs.values_list("msisdn", flat=True)]
    return found


def in_parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many at a time as a statement takes well."""
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]


def _slug(service_id: int) -> str:
    return str(Service.objects.order_by().values_list("slug", flat=True).get(pk=service_id))
