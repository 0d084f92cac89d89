"""The send that an order asks for: a small one with all its messages, a large one with the work of writing them."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from sms.audiences import storage
from sms.compose import approval, labels
from sms.compose.checks import Checked, check, earlier_of, refuse, survey
from sms.compose.errors import ComposeError, Problem, RepeatedReference
from sms.compose.naming import time_suffix
from sms.compose.order import Order, is_large, quiet_of, settled, substance
from sms.compose.survey import Survey
from sms.ledger import slices, states, wakeups
from sms.ledger.states import CounterDeltas, StateChange
from sms.models import (
    Actor,
    AudienceVersion,
    MessageState,
    Preparation,
    Reject,
    Send,
    Sender,
    SendState,
)
from sms.models.audit import audit
from sms.models.sql.insert import StatementBatch, insert

REJECT = ("send_id", "row", "value", "code", "reason")


def create(
    order: Order, *, by: Actor, user: Any = None, now: datetime | None = None, figures: Survey | None = None
) -> Send:
    """Commit the send and have it dispatched when due; raises ComposeError and stores nothing where it cannot be.

    A large one is PREPARING until its messages are written. `figures` saves a second survey of the same rows.
    """
    now = now or timezone.now()
    order = settled(order)
    large = is_large(order)
    if large and figures is not None:
        refuse(order, now=now)
    made = (figures or survey(order, now=now)) if large else check(order, now=now)
    if order.sender is None:  # it was refused for that; said again for whoever reads types
        raise ComposeError([Problem("sender", "Choose the sender that the messages come from.")])
    try:
        if isinstance(made, Survey):
            return _create_large(order, order.sender, made, by=by, user=user, now=now)
        return _create(order, order.sender, made, by=by, user=user, now=now)
    except IntegrityError:
        earlier = earlier_of(order)
        if earlier is None:
            raise
        raise RepeatedReference(earlier) from None


def _create(order: Order, sender: Sender, checked: Checked, *, by: Actor, user: Any, now: datetime) -> Send:
    due_at, partner = max(order.due_at or now, now), order.partner
    # a test goes to its writer or a seed list: `refuse` has looked at each number
    ask_nobody = order.trial is not None
    wanted = approval.NOBODY if ask_nobody else approval.needed_for(order, checked.lines, user=user, now=now)
    with transaction.atomic(savepoint=bool(order.client_reference)):  # the database may refuse only that
        send = slices.begin(
            **_fields(order, sender, len(checked.lines), len(checked.rejects), by=by, due_at=due_at),
            state=slices.state_of(due_at=due_at, approvers=wanted.approvers, now=now),
            approvers=wanted.approvers,
            audience=order.saved,
            created_by=user,
            reference=partner.reference if partner else None,
            # not worth a hash for each of a partner's requests, which have references of their own
            audience_digest="" if partner else storage.digest_of(order.audience),
        )
        labels.give(send, order.labels)
        later, tally = StatementBatch(), CounterDeltas.new()
        stored = slices.store(send, checked.lines, tally=tally, later=later)
        rejected = [
            (send.pk, bad.row, bad.value[:200], bad.code, bad.reason[:300]) for bad in checked.rejects
        ]
        insert(Reject, REJECT, rejected)
        if partner is not None:
            if partner.on_stored is not None:
                partner.on_stored(send, stored, later)
            told = [
                StateChange(pk, MessageState.FAILED, now, code=line.fault, detail=line.warning)
                for pk, line in zip(stored, checked.lines, strict=True)
                if line.fault
            ]
            if told:
                later.run()  # what is told may name what is stored by then
                states.apply(told, tally=tally)
        tally.write(later=later)
        _record_created(send, order, by=by, later=later)
        later.run()
        if wanted.approvers:
            approval.ask(send, wanted, by=by, user=user, draft=order.draft, now=now)
        wakeups.dispatch()
    return send


def _create_large(
    order: Order, sender: Sender, figures: Survey, *, by: Actor, user: Any, now: datetime
) -> Send:
    """The send alone, and the work of writing its messages, which whoever prepares finds: `sms.compose.background` ends with
    `slicing.open_send`."""
    due_at = max(order.due_at or now, now)
    wanted = approval.needed(
        order,
        recipients=figures.recipients,
        countries=lambda: figures.countries,
        user=user,
        now=now,
    )
    with transaction.atomic(savepoint=bool(order.client_reference)):
        version = order.saved or _stored(order, user=user)
        send = slices.begin(
            **_fields(order, sender, figures.recipients, figures.rejected, by=by, due_at=due_at),
            state=SendState.PREPARING,
            approvers=wanted.approvers,
            audience=version,
            created_by=user,
            audience_digest=version.digest,
        )
        labels.give(send, order.labels)
        Preparation.objects.create(
            service=order.service,
            kind=Preparation.Kind.EXPAND,
            send=send,
            total=figures.rows,
            cursor={
                "fillings": {name: asdict(one) for name, one in order.fillings.items()},
                "approval": approval.carried(wanted, by=by),  # asked for once all is there
            },
        )
        later = StatementBatch()
        _record_created(send, order, by=by, later=later)
        later.run()
    return send


def _stored(order: Order, *, user: Any) -> AudienceVersion:
    """An audience that is in no database yet: its rows are read again while the messages are written."""
    version = AudienceVersion.objects.create(
        service=order.service,
        number=1,
        source=order.source[-200:],
        country=order.service.default_country,
        headings=order.audience.headings,
        column=order.audience.column[:200],
        made_by=user,
    )
    storage.store(order.audience, version)
    return version


def _fields(
    order: Order, sender: Sender, recipients: int, rejected: int, *, by: Actor, due_at: datetime
) -> dict[str, Any]:
    """Of a send, large or small."""
    return {
        **substance(order, sender),
        "name": order.name or _default_name(order, due_at),
        "due_at": due_at,
        "recipients": recipients,
        "rejected": rejected,
        "source": order.source[-200:],
        "file_sha256": order.file_sha256,
        "lane": order.lane,
        "resend": order.resend,
        "ramp": order.ramp and slices.ramps(recipients),
        "time_zone": order.zone,
        "quiet_hours": quiet_of(order),
        "partner": by.label[:100] if by.kind == "key" else "",
        "client_reference": order.client_reference,
        "test": order.trial is not None,
        "tested": order.trial.draft if order.trial is not None else None,
    }


def _default_name(order: Order, due_at: datetime) -> str:
    what = str(order.template) if order.template else " ".join(order.content.split()[:6])
    return what[:70] + time_suffix(due_at)


def _record_created(send: Send, order: Order, *, by: Actor, later: StatementBatch) -> None:
    audit(
        "send.created",
        send,
        by=by,
        batch=later,
        recipients=send.recipients,
        rejected=send.rejected,
        sender=str(order.sender),
        template=str(order.template or ""),
        due_at=send.due_at.isoformat(),
    )
