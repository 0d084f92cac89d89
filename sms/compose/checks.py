"""What is wrong with an order, and what `create` would make of it: the messages of a small one, the figures of any. Stores nothing.

The rows are read block by block, so that an order of any size is checked in bounded memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from sms.audiences.files import Recipient, RejectedRow
from sms.compose import labels, links, options
from sms.compose.errors import ComposeError, Problem, ProblemCode, RepeatedReference, no_recipients
from sms.compose.lines import Composer, all_as_messages
from sms.compose.order import ComposedMessage, Order, is_large, resolved, text_of
from sms.compose.survey import Survey, Surveyor
from sms.compose.test_sends import rules
from sms.models import Send
from sms.values import text

# a time this long ago was meant as "now": the button was pressed a moment after the time was chosen
PAST = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a small order makes: the messages and the rejects, both in the order of the rows."""

    lines: Sequence[ComposedMessage]
    rejects: Sequence[RejectedRow]

    @property
    def encoding(self) -> str:
        return "gsm7" if text.is_gsm7(self.lines[0].text) else "ucs2"


def refuse(order: Order, *, now: datetime) -> None:
    """Raises ComposeError with a problem for each field that is wrong, before any row is read. The order is `resolved`."""
    if (earlier := earlier_of(order)) is not None:
        raise RepeatedReference(earlier)
    problems = [
        *_catalogue_problems(order),
        *_content_problems(order),
        *options.problems(
            order.options,
            group=order.policy_group,
            expires=order.expires_at is not None,
            resend=order.resend,
            ramp=order.ramp,
        ),
        *labels.problems(order.service, order.labels),
    ]
    if problem := time_problem(order.due_at, order.expires_at, now=now):
        problems.append(problem)
    if order.test_send is not None:
        problems += _test_problems(order, order.test_send, now=now)
    if problems:
        raise ComposeError(problems)


def check(order: Order, *, now: datetime | None = None) -> Checked:
    """What `create` would make of this order, which is small; raises ComposeError with a problem for each field that is wrong."""
    order = resolved(order)
    refuse(order, now=now or timezone.now())
    composer = Composer(order)
    lines = list[ComposedMessage]()
    rejects = list[RejectedRow]()
    for block in order.audience.blocks():
        made, unfit = composer.lines(block.recipients)
        lines += made
        rejects += [*block.rejects, *unfit]
    if order.partner is not None:  # the provider's codes answer for what the sender cannot reach
        lines, rejects = all_as_messages(lines, rejects), []
    rejects.sort(key=lambda reject: reject.row)
    if not lines:
        raise no_recipients(rejects)
    return Checked(lines=lines, rejects=rejects)


def survey(order: Order, *, now: datetime | None = None) -> Survey:
    """The figures of an order of any size, in one pass; raises ComposeError exactly where `create` would."""
    order = resolved(order)
    refuse(order, now=now or timezone.now())
    composer, surveyor = Composer(order), Surveyor(order)
    for block in order.audience.blocks():
        lines, unfit = composer.lines(block.recipients)
        surveyor.add(lines, [*block.rejects, *unfit])
    return surveyor.finish()


def line_of(order: Order, row: int) -> ComposedMessage | None:
    """The message of one row of the audience; None where it has none."""
    composer = Composer(resolved(order))
    for block in order.audience.blocks():
        for one in block.recipients:
            if one.row == row:
                lines, _ = composer.lines([one])
                return lines[0] if lines else None
    return None


def rejects_of(order: Order) -> Iterator[tuple[RejectedRow, Recipient | None]]:
    """Every row that gets no message, block by block, with the recipient that it was where it could be read at all."""
    return _rejects(order, Composer(resolved(order)))


def _rejects(order: Order, composer: Composer) -> Iterator[tuple[RejectedRow, Recipient | None]]:
    for block in order.audience.blocks():
        known = {one.row: one for one in block.recipients}
        _, unfit = composer.lines(block.recipients)
        for bad in sorted([*block.rejects, *unfit], key=lambda bad: bad.row):
            yield bad, known.get(bad.row)


def earlier_of(order: Order) -> Send | None:
    if not order.client_reference:
        return None
    return Send.objects.filter(service=order.service, client_reference=order.client_reference).first()


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
    if order.link_domain is not None and (broken := links.domain_problem(order.link_domain)):
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
    written = text_of(order)
    if order.partner is None:
        for sentence in links.smartlinks(order.service, written)[1]:
            yield Problem("text", sentence)
    limit = order.service.text_limit
    if written and not text.placeholders(written) and len(written) > limit:
        says = f"The text has {len(written):,} characters; this service allows {limit:,}."
        yield Problem("text", says, ProblemCode.TEXT_TOO_LONG)
    if len(order.callback_data) > 1500:
        yield Problem(
            "callback_data", f"Callback data has {len(order.callback_data):,} characters; 1,500 are allowed."
        )


def _test_problems(order: Order, of: rules.TestSend, *, now: datetime) -> Iterator[Problem]:
    """A test needs no approval, so each of its numbers is checked."""
    if is_large(order):
        yield Problem("to", f"A test goes to {rules.MOST_RECIPIENTS} numbers at most.")
        return
    numbers = {one.msisdn for block in order.audience.blocks() for one in block.recipients}
    yield from rules.problems(of, service=order.service, numbers=numbers, due_at=order.due_at, now=now)


def time_problem(due_at: datetime | None, expires_at: datetime | None, *, now: datetime) -> Problem | None:
    if due_at is not None and due_at < now - PAST:
        return Problem("send_at", "That time has passed. Choose a later one, or send now.")
    if expires_at is not None and expires_at <= max(due_at or now, now):
        return Problem("expires_at", "It would expire before it is sent. Choose a later expiry.")
    return None
