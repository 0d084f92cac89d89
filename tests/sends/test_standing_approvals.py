"""An approver's word for the occurrences to come: what it answers, what it does not, and what ends it."""

from datetime import UTC, datetime, timedelta

import pytest

from sms.audiences import saved
from sms.compose import background
from sms.models import (
    ApprovalDecision,
    ApprovalRequest,
    ApprovalRules,
    Draft,
    RecurringSend,
    Send,
    SendState,
    StandingApproval,
)
from sms.sends import answers
from sms.sends.recurring import control, make, standing, start
from tests.support.approvals import a_careful_service, a_person, acting, request_of
from tests.support.recurring import a_draft_to, a_list, a_recurring_send, rows

pytestmark = pytest.mark.django_db

HOUR, WEEK = timedelta(hours=1), timedelta(days=7)
NINE = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)


class Weeks:
    """A recurring send of a careful service, with its approvers, and the send of the week that was made last."""

    def __init__(self, *, approvers: int = 1, count: int = 10, **changes) -> None:
        self.service = a_careful_service(approvers)
        self.composer = a_person("composer", self.service, "composer")
        self.approvers = [a_person(f"approver{n}", self.service) for n in range(approvers)]
        self.recurring = a_recurring_send(self.service, user=self.composer, count=count, **changes)
        self.week = -1

    def next(self) -> Send:
        self.week += 1
        assert make.make_due(now=self.now) == 1
        background.run(stopped=lambda: False)  # by the clock of this machine
        ApprovalRequest.objects.update(expires_at=NINE + 50 * WEEK)
        return Send.objects.latest("pk")

    @property
    def now(self) -> datetime:
        return NINE + self.week * WEEK - HOUR

    def approve(self, send: Send, who=None, *, more: int = 10) -> StandingApproval | None:
        by, request = acting(who or self.approvers[0]), request_of(send)
        answers.approve(request, by=by, seen=request.fingerprint, now=self.now)
        return standing.give(request, by=by, more=more, now=self.now)


def test_it_answers_the_same_to_another_version_of_the_list_and_asks_again_for_more_people():
    weeks = Weeks()
    first = weeks.next()
    assert first.state == SendState.AWAITING
    given = weeks.approve(first)
    assert (given.recipients, given.most) == (10, 11)
    saved.replace(weeks.recurring.draft.audience, rows(11), by=acting(weeks.composer))
    second = weeks.next()
    assert (second.state, second.recipients) == (SendState.SCHEDULED, 11)
    request = request_of(second)
    decision = ApprovalDecision.objects.get(request=request)
    assert (decision.by, decision.comment) == (
        weeks.approvers[0],
        "By the standing approval of 1 March 2027.",
    )
    assert request.audience_change == {"added": 1, "removed": 0, "same": 10}
    saved.replace(weeks.recurring.draft.audience, rows(12), by=acting(weeks.composer))
    third = weeks.next()
    assert third.state == SendState.AWAITING
    assert standing.asks_again(given, request_of(third)) == (
        "It goes to 12 people; the standing approval is for 11 at most."
    )
    assert standing.in_force(weeks.recurring, now=weeks.now) == [given], "it stays"


@pytest.mark.parametrize("what", ["text", "rhythm", "sender", "days", "person"])
def test_what_makes_it_another_send_ends_it(what):
    weeks = Weeks()
    given = weeks.approve(weeks.next())
    by = acting(weeks.composer)
    if what == "text":
        draft = start.draft_to_change(weeks.recurring, by=by)
        Draft.objects.filter(pk=draft.pk).update(text="Another text")
        start.change_content(weeks.recurring, Draft.objects.get(pk=draft.pk), by=by, now=weeks.now)
    if what == "rhythm":
        wanted = RecurringSend.objects.get(pk=weeks.recurring.pk)
        wanted.pk, wanted.every = None, "daily"
        control.change_rhythm(weeks.recurring, wanted, by=by, now=weeks.now)
        RecurringSend.objects.update(next_at=NINE + WEEK, look_at=NINE)
    if what == "sender":
        weeks.service.senders.update(address="OTHER")
    if what == "days":
        StandingApproval.objects.update(expires_at=NINE)
    if what == "person":
        weeks.approvers[0].memberships.all().delete()
    if what == "rhythm":
        assert not standing.in_force(weeks.recurring, now=weeks.now)
        return
    assert weeks.next().state == SendState.AWAITING
    given.refresh_from_db()
    ended = {
        "text": "The text, the options or the list were changed.",
        "sender": "Changed since: the sender.",
        "days": "Its 90 days were over.",
        "person": "",
    }
    assert given.ended_because == ended[what]


def test_a_rule_that_was_not_asked_about_asks():
    weeks = Weeks()
    weeks.approve(weeks.next())
    ApprovalRules.objects.update(hours="00:00-00:01", outside_hours=1)
    assert weeks.next().state == SendState.AWAITING


def test_two_approvers_give_their_word_each_and_who_wrote_a_part_gives_none():
    weeks = Weeks(approvers=2)
    first = weeks.next()
    assert weeks.approve(first) is not None
    second = weeks.next()
    assert second.state == SendState.AWAITING, "one of two"
    assert weeks.approve(second, weeks.approvers[1]) is not None
    assert weeks.next().state == SendState.SCHEDULED
    weeks.recurring.draft.editors.add(weeks.approvers[0])
    assert weeks.next().state == SendState.AWAITING, "who edited it may not approve it any more"


def test_the_authors_of_a_large_one_are_known_and_its_request_is_answered_when_it_is_there():
    weeks = Weeks(count=5_001)
    editor = a_person("editor", weeks.service, "composer", "approver")
    weeks.recurring.draft.editors.add(editor)
    first = weeks.next()
    assert set(request_of(first).authors.all()) == {weeks.composer, editor}
    weeks.approve(first)
    second = weeks.next()
    assert second.state == SendState.AWAITING
    assert make.anything_due()
    make.make_due(now=weeks.now)
    second.refresh_from_db()
    assert second.state == SendState.SCHEDULED


def test_nothing_is_given_for_a_send_that_does_not_come_again():
    weeks = Weeks()
    first = weeks.next()
    request = request_of(first)
    assert standing.give(request, by=acting(weeks.approvers[0]), now=weeks.now) is None, "not approved"
    other = a_draft_to(a_list(weeks.service, user=weeks.composer, name="Other"), user=weeks.composer)
    assert other.is_open
