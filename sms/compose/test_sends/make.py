"""Trying out a draft: a test send, with everything that the send will have but its recipients and its time.

    sample(draft, …)      whose values fill the text: a chosen row, else the longest
    try_out(draft, …)     the test, through `compose.create` like any other send

To the person's own number or to a seed list; who may get one and how many is `sms.compose.test_sends.rules`'s to say. The text is
filled from one row of the draft's
own audience, so that what arrives is what a recipient would read. Called by the page of a draft.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sms.audiences.files import Audience, Limits, Recipient
from sms.compose import checks, drafts, options
from sms.compose.create import create
from sms.compose.errors import ComposeError
from sms.compose.order import ComposedMessage, Order, is_large
from sms.compose.test_sends import rules
from sms.models import Actor, Draft, Lane, Resend, SavedAudience, Send
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.values.msisdn.mention import starred
from sms.values.problems import Problem, ProblemCode
from sms.words import KeptSentence, number

OWN = gettext_noop("the writer's own number")
SOURCE = KeptSentence(gettext_noop("a test to %(whom)s"))
EXAMPLE_NUMBER = "+447700900000"  # reserved for examples; stands in where a draft has no recipients
EMPTY = Audience([], "", [], [])


@dataclass(frozen=True, slots=True)
class TestDraft:
    """A draft ready for a test: its order, and the row whose values fill the text (None: it has no recipients yet)."""

    order: Order
    row: Recipient | None
    is_longest: bool


def sample(draft: Draft, *, row: int | None, limits: Limits) -> TestDraft:
    """The row whose values fill the text: `row` as it is numbered in the audience, else the row that makes the longest message.

    Raises ComposeError where the audience cannot be read, where no message can be made, and where there is no such row.
    """
    empty = not (draft.pasted.strip() or draft.upload_id or draft.audience_id)
    whole = drafts.order_of_draft(draft, limits=limits, audience=EMPTY if empty else None)
    asked = options.changed(whole.options, expires_at=None, resend=Resend.NEVER)
    order = replace(whole, due_at=None, options=asked)
    if empty:
        return TestDraft(order, None, is_longest=False)
    wanted = row if row is not None else _longest(draft, order, limits=limits)
    for block in order.audience.blocks():
        for one in block.recipients:
            if one.row == wanted:
                return TestDraft(order, one, is_longest=row is None)
    raise ComposeError(
        [
            Problem(
                ProblemCode.NO_SUCH_ROW,
                "row",
                _("Row %(row)s has no recipient. Choose another row, or none.") % {"row": number(wanted)},
            )
        ]
    )


def _longest(draft: Draft, order: Order, *, limits: Limits) -> int:
    """The row that makes the longest message; of many rows the check in the background knows it."""
    large = is_large(order)
    figures = drafts.totals_of(draft, limits=limits).figures if large else checks.survey(order)
    if figures is None:
        raise ComposeError(
            [
                Problem(
                    ProblemCode.NOT_READY,
                    "row",
                    _("Its rows are still being checked. Choose a row, or try again in a moment."),
                )
            ]
        )
    return figures.longest[0].row


def order_of(
    draft: Draft, found: TestDraft, *, user: Any, seeds: SavedAudience | None, at_night: bool = False
) -> Order:
    """The order of the test. `at_night`: people may waive quiet hours for themselves, never for a colleague."""
    numbers = [rules.own_number(user)] if seeds is None else rules.numbers_in(seeds)
    if not numbers or not numbers[0]:
        says = _("Give your own number under Your details first.")
        raise ComposeError([Problem(ProblemCode.REQUIRED, "to", says)])
    asked = found.order.options
    # the row's number is that person's, and neither the writer's nor a colleague's to have on a phone
    row = found.row
    values = {name: starred(one, row.msisdn) for name, one in row.substitutions.items()} if row else {}
    people = [Recipient(row=at, msisdn=one, substitutions=values) for at, one in enumerate(numbers, start=1)]
    return replace(
        found.order,
        audience=_with_people(found.order, people),
        test_send=rules.TestSend(draft, user, seeds),
        name=f"Test of {draft}"[:100],
        source=SOURCE(whom=OWN if seeds is None else seeds),
        saved=None,
        file_sha256="",
        labels=(),
        zone="",
        options=options.changed(
            asked,
            lane=Lane.URGENT,  # few, and the writer waits for it with a phone in hand
            ramp=False,
            respect_quiet_hours=asked.respect_quiet_hours and not (at_night and seeds is None),
        ),
    )


def _with_people(order: Order, people: list[Recipient]) -> Audience:
    return Audience(list(order.audience.headings), order.audience.column, people, [])


def preview(found: TestDraft, *, number: str = "") -> ComposedMessage:
    """The message as it would arrive; raises ComposeError where it cannot be made."""
    one = found.row or Recipient(row=1, msisdn=number or EXAMPLE_NUMBER, substitutions={})
    order = replace(found.order, audience=_with_people(found.order, [one]))
    return checks.check(order).lines[0]


def send_test(
    draft: Draft,
    *,
    row: int | None,
    seeds: SavedAudience | None,
    at_night: bool = False,
    by: Actor,
    limits: Limits,
    now: datetime | None = None,
) -> Send:
    """Make the test. Raises ComposeError naming `to`, `row` or the field of the draft that is wrong."""
    now = now or corrected_now()
    found = sample(draft, row=row, limits=limits)
    with transaction.atomic():
        # the person is locked, so that two tests at once count each other
        get_user_model()._default_manager.select_for_update(no_key=True).get(pk=by.user.pk)
        order = order_of(draft, found, user=by.user, seeds=seeds, at_night=at_night)
        send = create(order, by=by, now=now)
        audit(
            "draft.tested",
            draft,
            by=by,
            send=send.pk,
            recipients=send.recipients,
            to=OWN if seeds is None else str(seeds),
            at_night=at_night and seeds is None,
        )
    return send
