"""Sends that come again: a clock passed to the job, sends in the database, bodies on the wire."""

from datetime import UTC, date, datetime, timedelta

import pytest

from sms.audiences import saved
from sms.compose import background
from sms.models import (
    AuditEvent,
    Holiday,
    Message,
    Notice,
    Occurrence,
    RecurringSend,
    Send,
    SendState,
)
from sms.sends import calendar
from sms.sends.cancel import cancel
from sms.sends.recurring import control, holidays, make, start, timetable
from tests.support.approvals import a_person, acting
from tests.support.provider import Provider
from tests.support.recurring import MONDAY, START, a_draft_to, a_list, a_recurring_send, rows
from tests.support.sends import BY, a_service

pytestmark = pytest.mark.django_db

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
NINE = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)


def outcomes(recurring: RecurringSend) -> list[tuple[int | None, str]]:
    return [(one.number, one.outcome) for one in recurring.occurrences.order_by("at", "pk")]


def test_each_occurrence_is_an_ordinary_send_to_the_list_as_it_is_then():
    service = a_service()
    recurring = a_recurring_send(service)
    assert make.make_due(now=NINE - 4 * HOUR - DAY) == 0
    assert make.make_due(now=NINE - 4 * HOUR) == 1
    assert make.make_due(now=NINE - HOUR) == 0, "once, however often the job looks"
    first = Send.objects.get()
    assert (first.due_at, first.state, first.recipients) == (NINE, SendState.SCHEDULED, 3)
    assert (first.name, first.created_by) == ("Training, 1 Mar 2027", recurring.run_by)
    assert first.text == "Training tonight at 19:00"
    assert first.occurrence.number == 1
    saved.replace(recurring.draft.audience, rows(5), by=acting(recurring.run_by))
    assert make.make_due(now=NINE + WEEK - HOUR) == 1
    second = Send.objects.latest("pk")
    assert (second.due_at, second.recipients, second.audience.number) == (NINE + WEEK, 5, 2)
    assert outcomes(recurring) == [(1, "made"), (2, "made")]


def test_the_local_hour_stays_and_a_desk_that_was_down_says_what_it_missed():
    service = a_service()
    recurring = a_recurring_send(service, times=6)
    after = datetime(2027, 3, 29, 9, 30, tzinfo=UTC)  # 10:30 in London, an hour and a half late
    assert make.make_due(now=after) == 5
    assert outcomes(recurring) == [(n, "missed") for n in range(1, 5)] + [(5, "made")]
    made = Send.objects.get()
    assert made.occurrence.at == datetime(2027, 3, 29, 8, 0, tzinfo=UTC)
    assert made.due_at == after, "late, and it says so"
    assert made.occurrence.says == "Made 90 minutes late."
    assert "not running" in recurring.occurrences.get(number=2).says
    assert Notice.objects.filter(person=recurring.run_by, kind="recurring").count() == 4
    assert make.make_due(now=after + WEEK) == 1
    recurring.refresh_from_db()
    assert (recurring.state, recurring.next_at) == ("ended", None), "after six"
    assert AuditEvent.objects.filter(act="recurring_send.ended").exists()
    assert make.make_due(now=after + 10 * WEEK) == 0


def test_times_that_became_no_send_are_forgotten_and_those_that_did_stay_with_it():
    service = a_service()
    recurring = a_recurring_send(service, times=3)
    control.skip(recurring, MONDAY, by=BY)
    after = NINE + WEEK
    assert make.make_due(now=after - HOUR) == 2
    kept = timedelta(days=Occurrence.KEPT)
    assert make.forget(now=NINE + kept) == 0
    assert make.forget(now=NINE + kept + HOUR) == 1
    assert make.forget(now=NINE + 10 * 366 * DAY) == 0
    assert outcomes(recurring) == [(2, "made")], "with its send, however old"
    assert make.make_due(now=after + WEEK - HOUR) == 1
    assert outcomes(recurring) == [(2, "made"), (3, "made")]


def test_what_it_makes_is_posted():
    service = a_service()
    recurring = a_recurring_send(service, starts_on=date(2020, 1, 6), now=START - 400 * WEEK)
    RecurringSend.objects.update(passed_until=datetime(2026, 11, 23, 12, 0, tzinfo=UTC))
    recurring.refresh_from_db()
    timetable.set_next(recurring, {}, now=START)
    recurring.save()
    assert make.make_due(now=datetime(2026, 11, 30, 9, 0, tzinfo=UTC)) == 1
    provider = Provider()
    provider.dispatch()
    assert len(provider.bodies) == 3
    assert "Training tonight at 19:00" in str(provider.bodies[0])


@pytest.mark.parametrize("where", ["before", "after"])
def test_the_send_and_the_step_to_the_next_are_stored_together_or_not_at_all(monkeypatch, where):
    recurring = a_recurring_send(a_service())
    step = timetable.set_next

    def dies(*args, **kwargs):
        if where == "after":
            step(*args, **kwargs)
        raise KeyboardInterrupt  # as a process that is stopped; nothing of ours catches it

    with monkeypatch.context() as patched:
        patched.setattr(timetable, "set_next", dies)
        with pytest.raises(KeyboardInterrupt):
            make.make_due(now=NINE - HOUR)
    assert not Send.objects.exists()
    assert not Occurrence.objects.exists()
    recurring.refresh_from_db()
    assert recurring.next_at == NINE
    assert make.make_due(now=NINE - HOUR) == 1
    assert Send.objects.count() == 1


def test_what_cannot_be_made_is_said_told_once_and_tried_again_until_it_is_too_late():
    service = a_service()
    recurring = a_recurring_send(service)
    audience = recurring.draft.audience
    saved.archive(audience, by=BY)
    for minutes in range(0, 60, 10):
        assert make.make_due(now=NINE - HOUR + timedelta(minutes=minutes)) == 0
    recurring.refresh_from_db()
    assert "“Members” is archived" in recurring.trouble
    told = Notice.objects.filter(person=recurring.run_by)
    assert [one.says for one in told] == [f"“Training” could not be made yet: {recurring.trouble}"]
    saved.bring_back(audience, by=BY)
    assert make.make_due(now=NINE + timedelta(minutes=20)) == 1
    recurring.refresh_from_db()
    assert recurring.trouble == ""
    saved.archive(audience, by=BY)
    make.make_due(now=NINE + WEEK)
    assert make.make_due(now=NINE + WEEK + 3 * HOUR) == 1
    failed = recurring.occurrences.get(number=2)
    assert (failed.outcome, failed.send) == ("failed", None)
    assert "is archived" in failed.says
    assert Notice.objects.filter(person=recurring.run_by).count() == 3
    recurring.refresh_from_db()
    assert (recurring.state, recurring.next_at) == ("running", NINE + 2 * WEEK), "the rhythm goes on"


def test_one_that_breaks_does_not_keep_the_others(monkeypatch):
    service = a_service()
    user = a_person("composer", service, "composer")
    broken = a_recurring_send(service, user=user)
    other = a_draft_to(a_list(service, user=user, name="Others"), user=user, text="Other")
    a_recurring_send(service, user=user, draft=other, name="Other")
    usual = make._order
    monkeypatch.setattr(
        make, "_order", lambda one, now: 1 / 0 if one.pk == broken.pk else usual(one, now=now)
    )
    assert make.make_due(now=NINE - HOUR) == 1
    assert Send.objects.get().text == "Other"
    broken.refresh_from_db()
    assert "Something went wrong" in broken.trouble


def test_it_is_made_only_in_the_name_of_a_person_who_may_send():
    service = a_service()
    recurring = a_recurring_send(service)
    service.memberships.all().delete()
    assert make.make_due(now=NINE - HOUR) == 0
    recurring.refresh_from_db()
    assert "may not send for Shop any more" in recurring.trouble
    other = a_person("other", service, "composer")
    control.resume(recurring, by=acting(other), now=NINE - HOUR)
    assert make.make_due(now=NINE - HOUR) == 1
    assert Send.objects.get().created_by == other


def test_pause_skip_take_back_in_and_end():
    recurring = a_recurring_send(a_service())
    by = acting(recurring.run_by)
    control.skip(recurring, MONDAY + WEEK, by=by, now=START)
    assert [one.skipped for one in timetable.coming(recurring, most=3)] == [False, True, False]
    with pytest.raises(control.RecurringRefused):
        control.skip(recurring, MONDAY + DAY, by=by)
    make.make_due(now=NINE - HOUR)
    make.make_due(now=NINE + WEEK)
    assert outcomes(recurring) == [(1, "made"), (2, "skipped")]
    assert Send.objects.count() == 1
    with pytest.raises(control.RecurringRefused, match="cancel its send"):
        control.skip(recurring, MONDAY, by=by)
    control.skip(recurring, MONDAY + 2 * WEEK, by=by)
    assert control.take_back_in(recurring, MONDAY + 2 * WEEK, by=by)
    assert control.pause(recurring, by=by)
    make.make_due(now=NINE + 2 * WEEK)
    control.resume(recurring, by=by, now=NINE + 3 * WEEK - DAY)
    make.make_due(now=NINE + 3 * WEEK - HOUR)
    assert outcomes(recurring) == [(1, "made"), (2, "skipped"), (3, "made")], "a pause is not made up for"
    assert len(control.still_to_go(recurring)) == 2
    control.end(recurring, by=by)
    assert make.make_due(now=NINE + 50 * WEEK) == 0
    with pytest.raises(control.RecurringRefused, match="has ended"):
        control.resume(recurring, by=by)
    assert Send.objects.filter(state=SendState.SCHEDULED).count() == 2, "what is made stays"


def test_text_and_rhythm_change_from_the_next_occurrence_on():
    service = a_service()
    recurring = a_recurring_send(service)
    user = recurring.run_by
    make.make_due(now=NINE - HOUR)
    draft = start.draft_to_change(recurring, by=acting(user))
    assert start.draft_to_change(recurring, by=acting(user)) == draft, "one at a time"
    assert (draft.text, draft.audience) == (recurring.draft.text, recurring.draft.audience)
    draft.text = "Training at 18:00 now"
    draft.save()
    start.change_content(recurring, draft, by=acting(user), now=NINE)
    wanted = RecurringSend.objects.get(pk=recurring.pk)
    wanted.pk, wanted.days = None, "3"
    stored = RecurringSend.objects.get(pk=recurring.pk)
    assert control.change_rhythm(stored, wanted, by=acting(user), now=NINE + HOUR)
    make.make_due(now=NINE + 3 * DAY)
    first, second = Send.objects.order_by("pk")
    assert (first.text, second.text) == ("Training tonight at 19:00", "Training at 18:00 now")
    assert second.due_at == NINE + 3 * DAY
    assert [one.draft for one in recurring.occurrences.order_by("at")] == [recurring.draft, draft]


def test_holidays_are_left_out_or_moved_and_the_calendar_says_so():
    service = a_service()
    days, wrong = holidays.read(
        "date,name\n2027-03-01, St David's Day\n2027-03-08\nsoon\n2027-13-01 x\n2027-03-01 twice"
    )
    assert days == {MONDAY: "St David's Day", MONDAY + WEEK: "holiday"}
    assert [one.number for one in wrong] == [4, 5, 6]
    skipping = a_recurring_send(service, on_holiday="skip", times=2)
    user = skipping.run_by
    other = a_draft_to(a_list(service, user=user, name="Others"), user=user, text="Other")
    moving = a_recurring_send(service, user=user, draft=other, name="Other", on_holiday="move")
    assert holidays.replace(service, days, by=acting(user)) == 2
    assert holidays.as_text(service) == "2027-03-01 St David's Day\n2027-03-08 holiday"
    found = calendar.entries_between([service], since=START, until=NINE + 2 * WEEK + HOUR, now=START).entries
    assert [(one.name, one.at, one.state) for one in found] == [
        ("Other", NINE + DAY, "forecast"),
        ("Other", NINE + WEEK + DAY, "forecast"),
        ("Other", NINE + 2 * WEEK, "forecast"),
        ("Training", NINE + 2 * WEEK, "forecast"),
    ]
    for day in range(16):
        make.make_due(now=NINE + day * DAY)
    assert outcomes(skipping) == [(None, "left_out"), (None, "left_out"), (1, "made")]
    assert "St David's Day" in skipping.occurrences.earliest("at").says
    assert outcomes(moving) == [(1, "made"), (2, "made"), (3, "made")]
    assert moving.occurrences.get(number=1).says.startswith("Moved from Monday 1 March 2027")
    Holiday.objects.all().delete()
    cancel(Send.objects.first(), by=BY)
    assert Message.objects.filter(send__occurrence__recurring=moving).count() == 9


def test_a_large_list_is_read_before_the_lock_and_written_in_the_background():
    service = a_service()
    recurring = a_recurring_send(service, count=5_001)
    make.make_due(now=NINE - HOUR)
    made = Send.objects.get()
    assert made.state == SendState.PREPARING
    background.run(stopped=lambda: False)
    made.refresh_from_db()
    assert made.messages.count() == 5_001
    assert made.occurrence.recurring == recurring


def test_what_stands_in_quiet_hours_is_said():
    recurring = a_recurring_send(a_service(quiet_hours="21:00-10:00"))
    [one] = timetable.coming(recurring, most=1)
    assert one.says == (
        "That is within the quiet hours (21:00-10:00): its messages wait until Monday 1 March, 10:00.",
    )
