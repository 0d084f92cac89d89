"""The send that an order asks for: a small one with all its messages, a large one with the work of writing them."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from sms import callbacks
from sms.audiences import storage
from sms.compose import labels, spending
from sms.compose.approval import requests, rules
from sms.compose.approval.rules import NOT_NEEDED, Needed
from sms.compose.checks import Checked, check, earlier_of, refuse, survey
from sms.compose.errors import ComposeError, PartnerRequest, RepeatedReference
from sms.compose.naming import default_name
from sms.compose.order import ComposedMessage, Order, is_large
from sms.compose.rejects import store_rejects
from sms.compose.resolved_order import ResolvedOrder, request_fields, resolve
from sms.compose.survey import Survey
from sms.ledger import slices, states, wakeups
from sms.ledger.counters import CounterDeltas
from sms.ledger.state_machine import StateChange
from sms.models import (
    Actor,
    AudienceVersion,
    MessageState,
    Preparation,
    Send,
    SendState,
)
from sms.models.api_key import TEST
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.models.sql.insert import StatementBatch
from sms.values.problems import Problem, ProblemCode


def create(asked: Order, *, by: Actor, now: datetime | None = None, figures: Survey | None = None) -> Send:
    """Commit the send and have it dispatched when due; raises ComposeError and stores nothing where it cannot be made.

    A large one is PREPARING until its messages are written. `figures` saves a second survey of the same rows.
    """
    now = now or corrected_now()
    slices.id_guard.look()
    order = resolve(asked)
    try:
        if not is_large(order):
            checked = check(order, now=now)
            send = _create_small(order, checked, by=by, now=now)
            send.caps_left = checked.left
            return send
        figures = _surveyed(order, figures, now=now)
        return _create_large(order, figures, by=by, now=now)
    except IntegrityError:
        earlier = earlier_of(order)
        if earlier is None:
            raise
        raise RepeatedReference(earlier) from None


def _surveyed(order: ResolvedOrder, figures: Survey | None, *, now: datetime) -> Survey:
    if figures is None:
        return survey(order, now=now)
    refuse(order, now=now)
    spending.refuse(order, spending.of_figures(order, figures), now=now)
    return figures


def _create_small(order: ResolvedOrder, checked: Checked, *, by: Actor, now: datetime) -> Send:
    # the savepoint is for the one refusal of the database that is expected: a repeated client reference
    with transaction.atomic(savepoint=bool(order.client_reference)):
        needed = _approval_needed(order, checked, by=by, now=now)
        batch, deltas = StatementBatch(), CounterDeltas()
        asked = _fields(order, len(checked.lines), len(checked.rejects), by=by, now=now)
        # not worth a hash for each of a partner's requests, which have references of their own
        digest = "" if order.partner else storage.digest_of(order.audience)
        send = slices.begin(
            **asked,
            state=slices.state_of(due_at=asked["due_at"], approvers=needed.approvers, now=now),
            approvers=needed.approvers,
            audience=order.saved or _own_rows(order, by=by),
            reference=order.partner.reference if order.partner else None,
            content_type=order.partner.content_type if order.partner else "",
            audience_digest=digest,
        )
        message_ids = slices.store(send, checked.lines, deltas=deltas, batch=batch)
        labels.attach(send, order.labels)
        store_rejects(send, checked.rejects, order=order)
        _pass_receipts_on(send, order.partner)
        if order.partner is not None:
            _store_for_partner(order.partner, message_ids, checked.lines, batch=batch, deltas=deltas, now=now)
        deltas.write(batch=batch)
        _record_created(send, order, by=by, batch=batch)
        batch.run()
        if needed.approvers:
            requests.ask(send, needed, by=by, draft=order.draft, others=order.writers, now=now)
        wakeups.dispatch()
        # last, because others who take from the same cap may wait from here to the commit
        spending.reserve(order, spending.of_lines(order, checked.lines), now=now)
    return send


def _approval_needed(order: ResolvedOrder, checked: Checked, *, by: Actor, now: datetime) -> Needed:
    """A test needs none: it goes to its writer or a seed list, and `refuse` has checked each number."""
    if order.test_send is not None:
        return NOT_NEEDED
    return rules.needed_for(order, checked.lines, by=by, now=now)


def _store_for_partner(
    partner: PartnerRequest,
    message_ids: Sequence[int],
    lines: Sequence[ComposedMessage],
    *,
    batch: StatementBatch,
    deltas: CounterDeltas,
    now: datetime,
) -> None:
    """What a partner's request stores with its messages, and the messages that fail at once (`ComposedMessage.failure_code`)."""
    if partner.on_stored is not None:
        partner.on_stored(message_ids, batch)
    failed = [
        StateChange(pk, MessageState.FAILED, now, code=line.failure_code, detail=line.failure)
        for pk, line in zip(message_ids, lines, strict=True)
        if line.failure_code
    ]
    if failed:
        batch.run()  # a callback about them may name what is stored by then
        states.apply(failed, deltas=deltas)


def _pass_receipts_on(send: Send, partner: PartnerRequest | None) -> None:
    if not send.notify_url:
        return
    try:
        callbacks.pass_receipts_on(send, policy=callbacks.allowed_addresses.policy())
    except (callbacks.BadAddress, callbacks.TooMany) as problem:
        if partner is not None and partner.on_not_called is not None:
            partner.on_not_called(str(problem))
            return
        raise ComposeError([Problem(ProblemCode.INVALID, "notify_url", str(problem))]) from None


def _create_large(order: ResolvedOrder, figures: Survey, *, by: Actor, now: datetime) -> Send:
    """The send alone, and the work of writing its messages, which `sms.compose.background` takes up and ends with `slices.open_send`."""
    with transaction.atomic(savepoint=bool(order.client_reference)):
        needed = rules.needed(
            order, recipients=figures.recipients, countries=lambda: figures.countries, by=by, now=now
        )
        asked = _fields(order, figures.recipients, figures.rejected, by=by, now=now)
        version = order.saved or _stored_audience(order, by=by)
        send = slices.begin(
            **asked,
            state=SendState.PREPARING,
            approvers=needed.approvers,
            audience=version,
            audience_digest=version.digest,
        )
        labels.attach(send, order.labels)
        wanted = spending.of_figures(order, figures)
        Preparation.objects.create(
            service=order.service,
            kind=Preparation.Kind.EXPAND,
            send=send,
            total=figures.rows,
            movers=sorted(order.writers),
            cursor={
                "fillings": {name: asdict(one) for name, one in order.placeholder_sources.items()},
                "values_as_given": order.values_as_given,
                "approval": requests.question_to_store(needed, by=by),  # asked once all messages are there
                "reserved": wanted.segments,
            },
        )
        _pass_receipts_on(send, order.partner)
        batch = StatementBatch()
        _record_created(send, order, by=by, batch=batch)
        batch.run()
        spending.reserve(order, wanted, now=now)
    return send


def _own_rows(order: ResolvedOrder, *, by: Actor) -> AudienceVersion | None:
    """The columns of a program's or a command's table, for the report; a page's are in its draft, a partner's in its messages."""
    if order.draft is not None or order.partner is not None or order.test_send is not None:
        return None
    return _stored_audience(order, by=by) if len(order.audience.headings) > 1 else None


def _stored_audience(order: Order, *, by: Actor) -> AudienceVersion:
    """An audience that is not stored yet: its messages are written from there."""
    version = AudienceVersion.objects.create(
        service=order.service,
        number=1,
        source=order.source[-200:],
        country=order.service.default_country,
        headings=order.audience.headings,
        column=order.audience.column[:200],
        findings=found.as_json() if (found := order.audience.findings) else {},
        made_by=by.user,
    )
    storage.store(order.audience, version)
    return version


def _fields(
    order: ResolvedOrder, recipients: int, rejected: int, *, by: Actor, now: datetime
) -> dict[str, Any]:
    due_at = max(order.due_at or now, now)
    return {
        **request_fields(order),
        "name": order.name or default_name(str(order.template or ""), recipients, due_at),
        "due_at": due_at,
        "created_by": by.user,
        "counted_on": None if order.simulated else spending.day_of(order, now=now),
        "counted_key": order.key.pk if order.key and not order.simulated else 0,
        "recipients": recipients,
        "rejected": rejected,
        "source": order.source[-200:],
        "file_sha256": order.file_sha256,
        "ramp": order.options.ramp and slices.ramps(recipients),
        "time_zone": order.zone,
        "quiet_hours": order.quiet_hours,
        "partner": by.label[:100] if by.kind == "key" else "",
        "owner": order.owner,
        "client_reference": order.client_reference,
        "test": order.test_send is not None,
        "tested": order.test_send.draft if order.test_send is not None else None,
        # the key's own word once more, should a way in forget to give it to the order
        "simulated": order.simulated or (by.kind == "key" and by.key.startswith(TEST)),
    }


def _record_created(send: Send, order: Order, *, by: Actor, batch: StatementBatch) -> None:
    mode: dict[str, Any] = {"simulated": True} if send.simulated else {}
    audit(
        "send.created",
        send,
        by=by,
        batch=batch,
        recipients=send.recipients,
        rejected=send.rejected,
        sender=str(order.sender),
        template=str(order.template or ""),
        leave_out=order.options.leave_out.names,
        due_at=send.due_at.isoformat(),
        **mode,
        **(found.figures if (found := order.audience.findings) else {}),
    )
