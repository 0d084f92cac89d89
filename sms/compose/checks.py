"""What is wrong with an order, and what `create` would make of it: the messages of a small one, the figures of any. Stores nothing.

The rows are read block by block, so that an order of any size is checked in bounded memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sms.audiences.files import Recipient, RejectedRow, grouped
from sms.catalogue.caps.standing import CapStanding
from sms.compose import labels, links, options, spending
from sms.compose.errors import ComposeError, RepeatedReference, no_recipients, not_all_taken
from sms.compose.lines import Composer, all_as_messages
from sms.compose.order import ComposedMessage, Order, is_large
from sms.compose.placeholders import missing_sentence
from sms.compose.resolved_order import ResolvedOrder, resolve
from sms.compose.survey import Survey, fold
from sms.compose.test_sends import rules
from sms.models import Send
from sms.models.sql.clock import corrected_now
from sms.values import text
from sms.values.problems import Problem, ProblemCode
from sms.words import KeptSentence, number

# a time this long ago was meant as "now": the button was pressed a moment after the time was chosen
PAST = timedelta(minutes=2)
NOT_CONNECTED = KeptSentence(
    gettext_noop("%(service)s is not connected to Webex Connect yet. An admin does that under Set-up.")
)
NOT_USABLE = {
    "sender": KeptSentence(
        gettext_noop("%(name)s is not a sender of %(service)s that can be used. Choose another one.")
    ),
    "template": KeptSentence(
        gettext_noop("%(name)s is not a template of %(service)s that can be used. Choose another one.")
    ),
    "policy_group": KeptSentence(
        gettext_noop("%(name)s is not a policy group of %(service)s that can be used. Choose another one.")
    ),
    "link_domain": KeptSentence(
        gettext_noop(
            "%(name)s is not a short-link domain of %(service)s that can be used. Choose another one."
        )
    ),
}
NOT_PUBLISHED = KeptSentence(
    gettext_noop("%(template)s has nothing published in “%(language)s”. Choose another language, or none.")
)
TEXT_TOO_LONG = KeptSentence(
    gettext_noop("The text has %(characters)s characters; this service allows %(most)s.")
)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a small order makes: the messages and the rejects, both in the order of the rows."""

    lines: Sequence[ComposedMessage]
    rejects: Sequence[RejectedRow]
    left: Sequence[CapStanding] = ()  # by the caps of the key, once it is made

    @property
    def encoding(self) -> str:
        return "gsm7" if text.is_gsm7(self.lines[0].text) else "ucs2"


def refuse(order: ResolvedOrder, *, now: datetime) -> None:
    """Raises ComposeError with a problem for each field that is wrong, before any row is read."""
    if (earlier := earlier_of(order)) is not None:
        raise RepeatedReference(earlier)
    problems = [
        *_catalogue_problems(order),
        *_content_problems(order),
        *options.problems(order.options, partner=order.partner),
        *labels.problems(order.service, order.labels),
    ]
    if problem := time_problem(order.due_at, order.options.expires_at, now=now):
        problems.append(problem)
    if order.test_send is not None:
        problems += _test_problems(order, order.test_send, now=now)
    if not problems and order.unfilled:
        says = missing_sentence(order.unfilled, order.audience)
        problems.append(Problem(ProblemCode.MISSING_VALUE, "text", says))
    if problems:
        raise ComposeError(problems)


def check(order: Order, *, now: datetime | None = None) -> Checked:
    """What `create` would make of this order, which is small; raises ComposeError with a problem for each field that is wrong."""
    order, now = resolve(order), now or corrected_now()
    refuse(order, now=now)
    composer = Composer(order, now=now)
    lines = list[ComposedMessage]()
    rejects = list[RejectedRow]()
    for block in order.audience.blocks():
        made, unfit = composer.lines(block.recipients)
        lines += made
        rejects += [*block.rejects, *unfit]
    if order.partner is not None:  # the provider's codes answer for what the sender cannot reach
        lines, rejects = all_as_messages(lines, rejects, composer), []
    rejects.sort(key=lambda reject: reject.row)
    if not lines:
        raise no_recipients(grouped(rejects), rejects)
    if order.strict and rejects:
        raise not_all_taken(rejects, count=len(rejects), rows=len(rejects) + len(lines))
    left = spending.refuse(order, spending.of_lines(order, lines), now=now, rows=composer.counts.rows)
    return Checked(lines=lines, rejects=rejects, left=left)


def survey(order: Order, *, now: datetime | None = None) -> Survey:
    """The figures of an order of any size, in one pass; raises ComposeError exactly where `create` would."""
    order, now = resolve(order), now or corrected_now()
    refuse(order, now=now)
    figures = fold(order, now=now).finish()
    if order.strict and figures.rejected:
        raise not_all_taken(figures.bad, count=figures.rejected, rows=figures.rows)
    spending.refuse(order, spending.of_figures(order, figures), now=now)
    return figures


def line_of(order: ResolvedOrder, row: int) -> ComposedMessage | None:
    """The message of one row of the audience; None where it has none."""
    composer = Composer(order)
    for block in order.audience.blocks():
        for one in block.recipients:
            if one.row == row:
                lines = composer.lines([one])[0]
                return lines[0] if lines else None
    return None


def rejects_of(order: ResolvedOrder) -> Iterator[tuple[RejectedRow, Recipient | None]]:
    """Every row that gets no message, block by block, with the recipient that it was where it could be read at all.

    While nothing fills a placeholder, which would reject every row, only those that could not be read.
    """
    composer = Composer(order)
    for block in order.audience.blocks():
        known = {one.row: one for one in block.recipients}
        unfit = [] if order.unfilled else composer.lines(block.recipients)[1]
        for bad in sorted([*block.rejects, *unfit], key=lambda bad: bad.row):
            yield bad, known.get(bad.row)


def earlier_of(order: Order) -> Send | None:
    if not order.client_reference:
        return None
    called = Send.objects.filter(service=order.service, client_reference=order.client_reference)
    return called.filter(owner=order.owner).first()


def _catalogue_problems(order: ResolvedOrder) -> Iterator[Problem]:
    service = order.service
    if not service.connected:
        yield Problem(
            ProblemCode.NOT_CONNECTED,
            "service",
            _(NOT_CONNECTED.text) % {"service": service.name},
        )
    if order.sender is None:
        yield Problem(ProblemCode.REQUIRED, "sender", _("Choose the sender that the messages come from."))
    elif order.sender.service_id != service.pk or not order.sender.active:
        yield Problem(
            ProblemCode.NOT_USABLE,
            "sender",
            _(NOT_USABLE["sender"].text) % {"name": order.sender, "service": service.name},
        )
    chosen: tuple[tuple[str, Any], ...] = (
        ("template", order.template),
        ("policy_group", order.options.policy_group),
        ("link_domain", order.options.link_domain),
    )
    for name, thing in chosen:
        if thing is not None and (thing.service_id != service.pk or not thing.active):
            yield Problem(
                ProblemCode.NOT_USABLE,
                name,
                _(NOT_USABLE[name].text) % {"name": thing, "service": service.name},
            )


def _content_problems(order: ResolvedOrder) -> Iterator[Problem]:
    domain = order.options.link_domain
    if domain is not None and order.options.shorten_links and (broken := links.domain_problem(domain)):
        yield Problem(ProblemCode.DOMAIN_BROKEN, "link_domain", broken)
    if order.content and order.template:
        yield Problem(ProblemCode.ONLY_ONE, "text", _("Write a text or choose a template, not both."))
    elif not order.content.strip() and order.template is None:
        yield Problem(ProblemCode.REQUIRED, "text", _("Write the text of the message, or choose a template."))
    if order.options.language and order.template is not None and order.version is None:
        yield Problem(
            ProblemCode.NOT_PUBLISHED,
            "language",
            _(NOT_PUBLISHED.text) % {"template": order.template, "language": order.options.language},
        )
    yield from order.text_problems
    limit = order.service.text_limit
    if not order.placeholders and (length := order.service.length_of(order.text)) > limit:
        says = _(TEXT_TOO_LONG.text) % {"characters": number(length), "most": number(limit)}
        yield Problem(ProblemCode.TEXT_TOO_LONG, "text", says)


def _test_problems(order: ResolvedOrder, of: rules.TestSend, *, now: datetime) -> Iterator[Problem]:
    """A test needs no approval, so each of its numbers is checked."""
    if is_large(order):
        says = _("A test goes to %(most)s numbers at most.") % {"most": number(rules.MOST_RECIPIENTS)}
        yield Problem(ProblemCode.TOO_MANY, "to", says)
        return
    numbers = {one.msisdn for block in order.audience.blocks() for one in block.recipients}
    yield from rules.problems(of, service=order.service, numbers=numbers, due_at=order.due_at, now=now)


def time_problem(due_at: datetime | None, expires_at: datetime | None, *, now: datetime) -> Problem | None:
    if due_at is not None and due_at < now - PAST:
        return Problem(
            ProblemCode.TIME_PASSED, "send_at", _("That time has passed. Choose a later one, or send now.")
        )
    if expires_at is not None and expires_at <= max(due_at or now, now):
        return Problem(
            ProblemCode.EXPIRES_TOO_EARLY,
            "expires_at",
            _("It would expire before it is sent. Choose a later expiry."),
        )
    return None
