"""A large send's rows into messages, a chunk of its audience in each transaction.

The same composer as in the check makes the lines, and opt-outs are looked up again, so that opt-outs since then are left out. Slices
come last (`slices.open_send`): nothing can be leased before every message is there. Where approvers are asked, what they are asked about
is read before that last transaction, so that no other writer waits for the reading.
"""

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from sms.audiences import storage
from sms.compose import placeholders, spending
from sms.compose.approval import requests
from sms.compose.approval.fingerprint import MessageDigester, MessageDigests
from sms.compose.background.lease import LeaseLost, PreparationLease
from sms.compose.errors import ComposeError
from sms.compose.lines import Composer
from sms.compose.order import Order
from sms.compose.rejects import store_rejects
from sms.compose.resolved_order import ResolvedOrder, resolve
from sms.ledger import slices, wakeups
from sms.ledger.counters import CounterDeltas
from sms.ledger.crash_points import point
from sms.models import ApiKey, Preparation, Send, SendState
from sms.models.sql.clock import corrected_now
from sms.values.problems import Problem, ProblemCode

READ_AT_A_TIME = 20  # slices, before the lease is kept again


def expand(found: Preparation, lease: PreparationLease) -> Generator[None]:
    related = ("service", "sender", "template", "template_version", "link_domain", "audience")
    send = Send.objects.select_related(*related).get(preparation=found)
    cursor = dict(found.cursor)
    yield from _write_messages(send, found, lease, cursor)
    send.recipients, send.rejected = cursor.get("messages", 0), cursor.get("rejects", 0)
    send.ramp = send.ramp and slices.ramps(send.recipients)
    # only this worker writes messages of a send that is preparing, so what takes long is read before its lock is taken
    runs, digests, audience_change = slices.runs_of(send), None, None
    if send.approvers:
        audience_change = requests.audience_change_of(send)
        digests = yield from _digest(send, runs, lease)
    with transaction.atomic():
        locked = _locked(send)
        if not Send.objects.filter(pk=send.pk, audience__erased_at=None).exists():
            says = _(
                "Its recipients were erased while its messages were written. Cancel it, and send to another audience."
            )
            raise ComposeError([Problem(ProblemCode.ERASED, "audience", says)])
        lease.end(Preparation.State.READY)
        locked.recipients, locked.rejected, locked.ramp = send.recipients, send.rejected, send.ramp
        if "reserved" in cursor:
            spending.settle(locked, cursor.get("written", {}), cursor["reserved"])
        now = corrected_now()
        slices.open_send(locked, runs=runs, now=now)
        requests.ask_stored(
            locked,
            cursor.get("approval"),
            movers=Preparation.objects.values_list("movers", flat=True).get(pk=found.pk),
            digests=digests,
            audience_change=audience_change,
            now=now,
        )
        point("opening")
        wakeups.dispatch()
    yield


def _write_messages(
    send: Send, found: Preparation, lease: PreparationLease, cursor: dict[str, Any]
) -> Iterator[None]:
    order = _order_of(send, found)
    composer, audience = Composer(order, day=send.counted_on), order.audience
    assert isinstance(audience, storage.StoredAudience)
    while (block := audience.block(cursor.get("place", 0))) is not None:
        lines, unfit = composer.lines(block.recipients)
        rejects = [*block.rejects, *unfit]
        slices.id_guard.look()
        with transaction.atomic():
            locked = _locked(send)
            lines, full = spending.take_numbers(locked, lines)
            rejects = sorted([*rejects, *full], key=lambda bad: bad.row)
            cursor |= {
                "place": cursor.get("place", 0) + 1,
                "messages": cursor.get("messages", 0) + len(lines),
                "rejects": cursor.get("rejects", 0) + len(rejects),
                "written": dict(Counter(cursor.get("written", {})) + spending.segments_of(lines)),
            }
            lease.keep(rows=len(lines) + len(rejects), cursor=cursor)
            deltas = CounterDeltas()
            slices.pour(send, lines, deltas=deltas)
            deltas.write()
            store_rejects(send, rejects, order=order)
            point("messages_uncommitted")
        point("messages_committed")
        yield


def _digest(
    send: Send, runs: Sequence[tuple[int, int, int]], lease: PreparationLease
) -> Generator[None, None, MessageDigests]:
    digester = MessageDigester(send.pk)
    for number, (first, last, _count) in enumerate(runs, start=1):
        digester.add(first, last)
        if number % READ_AT_A_TIME == 0:
            with transaction.atomic():
                lease.keep()
            yield
    return digester.finish()


def _locked(send: Send) -> Send:
    """The send's lock comes before that of its preparation, as in `sends.cancel`. Raises LeaseLost where it was cancelled."""
    locked = Send.objects.select_for_update(no_key=True).get(pk=send.pk)
    if locked.state != SendState.PREPARING:
        raise LeaseLost
    return locked


def _order_of(send: Send, found: Preparation) -> ResolvedOrder:
    """What the send was made of. The quiet hours are those that were in force then, whatever the service's are now."""
    assert send.audience is not None, "a large send names its audience"
    service = send.service
    service.quiet_hours = send.quiet_hours
    order = Order(
        service=service,
        audience=storage.StoredAudience(send.audience),
        sender=send.sender,
        content="" if send.template_id else send.text,
        template=send.template,
        version=send.template_version,
        placeholder_sources=placeholders.sources_from_json(found.cursor.get("fillings", {})),
        options=send,
        values_as_given=bool(found.cursor.get("values_as_given")),
        simulated=send.simulated,
        key=ApiKey.objects.filter(pk=send.counted_key).first() if send.counted_key else None,
    )
    return resolve(order)
