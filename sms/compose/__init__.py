"""Compose: from what a person or a program asks for to a committed send. The one door; there is no other.

    check(order)    the messages of a small order, and the rejects      survey(order)   the figures of any order, in bounded memory
    create(order)   the send: small ones with all their messages in one transaction, large ones PREPARING
    cancel(send)    what was not posted yet

Called by the compose page, the admin's form, the API and `manage.py send`. Nothing here talks to the provider.

    order     what is asked for           lines    rows into messages to be       lengths   of texts whose links change
    survey    the figures of all rows
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from sms import approval, chunks, content, labels, slicing, text, trial, wake, wishes
from sms.audience import Recipient
from sms.audience import Reject as RejectedRow
from sms.compose.lines import Composer, all_as_lines
from sms.compose.naming import time_suffix
from sms.compose.order import (
    LARGE,
    Line,
    Order,
    is_large,
    quiet_of,
    settled,
    substance,
    written_of,
)
from sms.compose.survey import Removed, Survey, Surveyor
from sms.models import (
    Actor,
    AudienceVersion,
    AuditEvent,
    MessageState,
    Preparation,
    Reject,
    Send,
    Sender,
    SendState,
    Slice,
    ledger,
)
from sms.models.insert import Later, insert
from sms.models.ledger import News, Tally
from sms.refusal import ComposeError, Partner, Problem, RepeatedReference, RowsRefused, nobody_left
from sms.slicing import RAMP_FROM

__all__ = [
    "LARGE",
    "RAMP_FROM",
    "Checked",
    "ComposeError",
    "Composer",
    "Line",
    "Order",
    "Partner",
    "Problem",
    "Removed",
    "RepeatedReference",
    "RowsRefused",
    "Survey",
    "Surveyor",
    "cancel",
    "check",
    "create",
    "is_large",
    "line_of",
    "quiet_of",
    "refuse",
    "rejects_of",
    "settled",
    "substance",
    "survey",
    "time_problem",
    "written_of",
]

REJECT = ("send_id", "row", "value", "code", "reason")
# a time this long ago was meant as "now" by somebody who took a moment to press the button
PAST = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Checked:
    """What would happen with a small order: the messages and the rejects, both in the order of the rows."""

    lines: Sequence[Line]
    rejects: Sequence[RejectedRow]

    @property
    def encoding(self) -> str:
        """Of the first message."""
        return "gsm7" if text.is_gsm7(self.lines[0].text) else "ucs2"

    @property
    def segments_total(self) -> int:
        """Of all messages."""
        return sum(line.segments for line in self.lines)


def refuse(order: Order, *, now: datetime) -> None:
    """Raises ComposeError naming every field that needs a hand, before any row is looked at. The order is `settled`."""
    if (earlier := _earlier(order)) is not None:
        raise RepeatedReference(earlier)
    problems = [
        *_catalogue_problems(order),
        *_content_problems(order),
        *wishes.problems(
            order.wishes,
            group=order.policy_group,
            expires=order.expires_at is not None,
            resend=order.resend,
            ramp=order.ramp,
        ),
        *labels.problems(order.service, order.labels),
    ]
    if problem := time_problem(order.due_at, order.expires_at, now=now):
        problems.append(problem)
    if order.trial is not None:
        problems += _trial_problems(order, order.trial, now=now)
    if problems:
        raise ComposeError(problems)


def check(order: Order, *, now: datetime | None = None) -> Checked:
    """What `create` would do with this order, which is small; raises ComposeError naming every field that needs a hand."""
    order = settled(order)
    refuse(order, now=now or timezone.now())
    composer = Composer(order)
    lines = list[Line]()
    rejects = list[RejectedRow]()
    for block in order.audience.blocks():
        made, unfit = composer.lines(block.recipients)
        lines += made
        rejects += [*block.rejects, *unfit]
    if order.partner is not None:  # the provider's codes answer for what the sender cannot reach
        lines, rejects = all_as_lines(lines, rejects), []
    rejects.sort(key=lambda reject: reject.row)
    if not lines:
        raise nobody_left(rejects)
    return Checked(lines=lines, rejects=rejects)


def survey(order: Order, *, now: datetime | None = None) -> Survey:
    """The figures of an order of any size, in one pass; raises ComposeError exactly where `create` would."""
    order = settled(order)
    refuse(order, now=now or timezone.now())
    composer, surveyor = Composer(order), Surveyor(order)
    for block in order.audience.blocks():
        lines, unfit = composer.lines(block.recipients)
        surveyor.add(lines, [*block.rejects, *unfit])
    return surveyor.finish()


def line_of(order: Order, row: int) -> Line | None:
    """The message of one row of the audience; None where it has none."""
    composer = Composer(settled(order))
    for block in order.audience.blocks():
        for one in block.recipients:
            if one.row == row:
                lines, _ = composer.lines([one])
                return lines[0] if lines else None
    return None


def rejects_of(order: Order) -> Iterator[tuple[RejectedRow, Recipient | None]]:
    """Every row that gets no message, block by block, with the recipient that it was where it could be read at all."""
    return _rejects(order, Composer(settled(order)))


def _rejects(order: Order, composer: Composer) -> Iterator[tuple[RejectedRow, Recipient | None]]:
    for block in order.audience.blocks():
        known = {one.row: one for one in block.recipients}
        _, unfit = composer.lines(block.recipients)
        for bad in sorted([*block.rejects, *unfit], key=lambda bad: bad.row):
            yield bad, known.get(bad.row)


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
        earlier = _earlier(order)
        if earlier is None:
            raise
        raise RepeatedReference(earlier) from None


def _earlier(order: Order) -> Send | None:
    """The send that has this client reference already."""
    if not order.client_reference:
        return None
    return Send.objects.filter(service=order.service, client_reference=order.client_reference).first()


def _create(order: Order, sender: Sender, checked: Checked, *, by: Actor, user: Any, now: datetime) -> Send:
    due_at, partner = max(order.due_at or now, now), order.partner
    # a test goes to its writer or a seed list: `refuse` has looked at each number
    ask_nobody = order.trial is not None
    wanted = approval.NOBODY if ask_nobody else approval.needed_for(order, checked.lines, user=user, now=now)
    with transaction.atomic(savepoint=bool(order.client_reference)):  # the database may refuse only that
        send = slicing.begin(
            **_fields(order, sender, len(checked.lines), len(checked.rejects), by=by, due_at=due_at),
            state=slicing.state_of(due_at=due_at, approvers=wanted.approvers, now=now),
            approvers=wanted.approvers,
            audience=order.saved,
            created_by=user,
            reference=partner.reference if partner else None,
            # not worth a hash for each of a partner's requests, which have references of their own
            audience_digest="" if partner else chunks.digest_of(order.audience),
        )
        labels.give(send, order.labels)
        later, tally = Later(), Tally.new()
        stored = slicing.store(send, checked.lines, tally=tally, later=later)
        rejected = [
            (send.pk, bad.row, bad.value[:200], bad.code, bad.reason[:300]) for bad in checked.rejects
        ]
        insert(Reject, REJECT, rejected)
        if partner is not None:
            if partner.on_stored is not None:
                partner.on_stored(send, stored, later)
            told = [
                News(pk, MessageState.FAILED, now, code=line.fault, detail=line.warning)
                for pk, line in zip(stored, checked.lines, strict=True)
                if line.fault
            ]
            if told:
                later.run()  # what is told may name what is stored by then
                ledger.apply(told, tally=tally)
        tally.write(later=later)
        _record_created(send, order, by=by, later=later)
        later.run()
        if wanted.approvers:
            approval.ask(send, wanted, by=by, user=user, draft=order.draft, now=now)
        wake.dispatch()
    return send


def _create_large(
    order: Order, sender: Sender, figures: Survey, *, by: Actor, user: Any, now: datetime
) -> Send:
    """The send alone, and the work of writing its messages, which whoever prepares finds: `sms.prepare` ends with `slicing.open_send`."""
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
        send = slicing.begin(
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
        later = Later()
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
    chunks.store(order.audience, version)
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
        "ramp": order.ramp and slicing.ramps(recipients),
        "time_zone": order.zone,
        "quiet_hours": quiet_of(order),
        "partner": by.label[:100] if by.kind == "key" else "",
        "client_reference": order.client_reference,
        "test": order.trial is not None,
        "tested": order.trial.draft if order.trial is not None else None,
    }


def _record_created(send: Send, order: Order, *, by: Actor, later: Later) -> None:
    AuditEvent.record_later(
        later,
        "send.created",
        by=by,
        service_slug=order.service.slug,
        noun="send",
        noun_key=send.pk,
        recipients=send.recipients,
        rejected=send.rejected,
        sender=str(order.sender),
        template=str(order.template or ""),
        due_at=send.due_at.isoformat(),
    )


# --- problems -----------------------------------------------------------------------------------------------------------


def _catalogue_problems(order: Order) -> Iterator[Problem]:
    service = order.service
    if not service.connected:
        yield Problem(
            "service",
            f"{service.name} is not connected to Webex Connect yet. An admin does that under Settings.",
        )
    if order.sender is None:
        yield Problem("sender", "Choose the sender that the messages come from.")
    elif order.sender.service_id != service.pk or not order.sender.active:
        yield Problem(
            "sender",
            f"{order.sender} is not a sender of {service.name} that can be used. Choose another one.",
        )
    chosen: tuple[tuple[str, Any, str], ...] = (
        ("template", order.template, "template"),
        ("policy_group", order.policy_group, "policy group"),
        ("link_domain", order.link_domain, "short-link domain"),
    )
    for name, thing, noun in chosen:
        if thing is not None and (thing.service_id != service.pk or not thing.active):
            yield Problem(
                name, f"{thing} is not a {noun} of {service.name} that can be used. Choose another one."
            )


def _content_problems(order: Order) -> Iterator[Problem]:
    if order.link_domain is not None and (broken := content.leads_nowhere(order.link_domain)):
        yield Problem("link_domain", broken)
    if order.content and order.template:
        yield Problem("text", "Write a text or choose a template, not both.")
    elif not order.content.strip() and order.template is None:
        yield Problem("text", "Write the text of the message, or choose a template.")
    if order.language and order.template is not None and order.version is None:
        yield Problem(
            "language",
            f"{order.template} has nothing published in “{order.language}”. Choose another language, or none.",
        )
    written = written_of(order)
    if order.partner is None:
        for sentence in content.smartlinks(order.service, written)[1]:
            yield Problem("text", sentence)
    limit = order.service.text_limit
    if written and not text.placeholders(written) and len(written) > limit:
        yield Problem("text", f"The text has {len(written):,} characters; this service allows {limit:,}.")
    if len(order.callback_data) > 1500:
        yield Problem(
            "callback_data", f"Callback data has {len(order.callback_data):,} characters; 1,500 are allowed."
        )


def _trial_problems(order: Order, of: trial.Trial, *, now: datetime) -> Iterator[Problem]:
    """A test goes past the approvers, so it is looked at number by number."""
    if is_large(order):
        yield Problem("to", f"A test goes to {trial.MOST} numbers at most.")
        return
    numbers = {one.msisdn for block in order.audience.blocks() for one in block.recipients}
    yield from trial.problems(of, service=order.service, numbers=numbers, due_at=order.due_at, now=now)


def time_problem(due_at: datetime | None, expires_at: datetime | None, *, now: datetime) -> Problem | None:
    """What is wrong with the times of a send, if anything is."""
    if due_at is not None and due_at < now - PAST:
        return Problem("send_at", "That time has passed. Choose a later one, or send now.")
    if expires_at is not None and expires_at <= max(due_at or now, now):
        return Problem("expires_at", "It would expire before it is sent. Choose a later expiry.")
    return None


def _default_name(order: Order, due_at: datetime) -> str:
    what = str(order.template) if order.template else " ".join(order.content.split()[:6])
    return what[:70] + time_suffix(due_at)


def cancel(send: Send, *, by: Actor, now: datetime | None = None) -> int:
    """Cancel what was not posted yet; returns how many messages that stopped.

    Locking the slices comes first: it waits for whoever is arming one right now, and whoever arms later reads the new state. Slices
    that are leased stay open, so that what they have in flight is still recorded or swept.
    """
    now = now or timezone.now()
    with transaction.atomic():
        # NO KEY: counters point to the send, and whoever writes one while we wait for their messages must not wait for us
        locked = Send.objects.select_for_update(no_key=True).get(pk=send.pk)
        if locked.state in (SendState.FINISHED, SendState.CANCELLED):
            return 0
        _stop_preparing(locked, now=now)
        approval.withdraw(locked, by=by, now=now)
        slices = list(Slice.of_send(locked.pk).filter(done=False))
        Slice.objects.filter(pk__in=[item.pk for item in slices if not item.owner]).update(done=True)
        tally = Tally.new()
        stopped = ledger.cancel(locked.pk, at=now, tally=tally)
        tally.write()
        locked.state, locked.cancelled_at, locked.cancelled_by = SendState.CANCELLED, now, by.label
        locked.save(update_fields=["state", "recipients", "cancelled_at", "cancelled_by"])
        AuditEvent.record(
            "send.cancelled",
            by=by,
            service_slug=locked.service.slug,
            noun="send",
            noun_key=locked.pk,
            stopped=stopped,
        )
    send.refresh_from_db()
    return stopped


def _stop_preparing(locked: Send, *, now: datetime) -> None:
    """Whoever writes its messages has the send's lock for each block, so what is counted here is all there will ever be."""
    if locked.state != SendState.PREPARING:
        return
    Preparation.objects.filter(send=locked).update(
        state=Preparation.State.CANCELLED, owner="", leased_until=None, ended_at=now
    )
    locked.recipients = sum(locked.counts().values())
