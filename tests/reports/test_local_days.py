"""Days of reports are those of the service's time zone: with halves of hours, with 23 and 25 hours, and after the zone is changed."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core import mail
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from sms import reports
from sms.ledger import states
from sms.ledger.counters import CounterDeltas
from sms.models import FactZone, KeptFact, Message, ReportSchedule, Send
from sms.models.sql.facts.local_hours import QUARTER, shifts_of
from sms.reports import facts
from sms.reports.mail import next_time
from sms.values.quiet_hours import midnight
from tests.support.jobs import run_job
from tests.support.partners import a_partner
from tests.support.people import Cast, a_cast
from tests.support.sends import a_send

pytestmark = pytest.mark.django_db
REPORTS, MESSAGES = "/s/shop/reports/", "/s/shop/messages/"
MINUTE = timedelta(minutes=1)
# a day, and how many hours it has
DAYS = [
    ("Asia/Kolkata", date(2026, 3, 9), 24),
    ("Asia/Kathmandu", date(2026, 3, 9), 24),
    ("America/New_York", date(2026, 3, 8), 23),
    ("America/New_York", date(2026, 11, 1), 25),
    ("Pacific/Auckland", date(2026, 4, 5), 25),
    ("Pacific/Auckland", date(2026, 9, 27), 23),
    ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
    ("Europe/London", date(2026, 7, 1), 24),
]


@pytest.fixture
def cast() -> Cast:
    return a_cast()


def in_zone(cast: Cast, zone: str) -> None:
    cast.service.time_zone = zone
    cast.service.save()


def posted(cast: Cast, *moments: datetime) -> Send:
    """A message for each, posted then."""
    send = a_send(cast.service, len(moments))
    Send.objects.filter(pk=send.pk).update(created_at=moments[0], due_at=moments[0])
    deltas = CounterDeltas()
    for pk, at in zip(send.messages.order_by("pk").values_list("pk", flat=True), moments, strict=True):
        states.arm([pk], at=at, deltas=deltas)
    deltas.write()
    return send


def around(day: date, zone: str) -> list[datetime]:
    """Two before the day, five within it, one after it; the fourth and the fifth are in the hours in which clocks are changed."""
    begin, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
    within = [begin, begin + 90 * MINUTE, begin + 150 * MINUTE, begin + 180 * MINUTE, end - MINUTE]
    return [begin - timedelta(hours=2), begin - MINUTE, *within, end]


def listed(cast: Cast, since: date, until: date) -> int:
    page = cast["auditor"].get(MESSAGES, {"since": since.isoformat(), "until": until.isoformat()})
    return len(page.context["rows"])


@pytest.mark.parametrize(("zone", "day", "hours"), DAYS)
def test_a_day_of_a_report_is_the_day_that_messages_are_filtered_by(cast, zone, day, hours):
    in_zone(cast, zone)
    begin, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
    assert end - begin == timedelta(hours=hours)
    posted(cast, *around(day, zone))
    facts.fold()
    for since, until in ((day, day), (day - timedelta(days=1), day), (day, day + timedelta(days=1))):
        counts = {}
        for by in ("day", "hour", "sender", "country", "send"):
            asked = {"by": by, "from": since.isoformat(), "until": until.isoformat()}
            page = cast["auditor"].get(REPORTS, asked)
            counts[by] = page.context["report"].total.posted
            assert f"days in {zone}" in page.text
        assert set(counts.values()) == {listed(cast, since, until)}, (since, until, counts)
    alone = cast["auditor"].get(REPORTS, {"by": "hour", "from": day.isoformat(), "until": day.isoformat()})
    assert listed(cast, day, day) == 5
    to_messages = alone.context["messages_at"]
    assert len(cast["auditor"].get(to_messages).context["rows"]) == 5
    assert facts.compare()[1] is None
    facts.rebuild()
    again = cast["auditor"].get(REPORTS, {"from": day.isoformat(), "until": day.isoformat()})
    assert again.context["report"].total.posted == 5


def test_a_send_stands_under_the_day_it_was_due_by_the_services_clock(cast):
    in_zone(cast, "Asia/Kolkata")
    at = datetime(2026, 3, 9, 18, 40, tzinfo=UTC)  # 00:10 of the tenth
    posted(cast, at)
    facts.fold()
    for day, lines in (("2026-03-09", 0), ("2026-03-10", 1)):
        page = cast["auditor"].get(REPORTS, {"by": "send", "from": day, "until": day})
        assert len(page.context["rows"]) == lines
    export = {"query": "by=send&from=2026-03-10&until=2026-03-10", "kind": "csv"}
    answer = cast["auditor"].post(f"{REPORTS}export/", export)
    headings, row = b"".join(answer.streaming_content).decode().splitlines()
    assert "when (Asia/Kolkata)" in headings
    assert "2026-03-10 00:00" in row


def test_hours_in_which_clocks_are_changed_say_so(cast):
    in_zone(cast, "America/New_York")
    twice = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    posted(cast, twice, twice + timedelta(hours=1))  # both 01:30
    facts.fold()
    for day, hour, words, count in (
        ("2026-11-01", 1, "the clocks go back", 2),
        ("2026-03-08", 2, "the clocks go forward", 0),
    ):
        page = cast["auditor"].get(REPORTS, {"by": "hour", "from": day, "until": day})
        lines = page.context["report"].course
        assert len(lines) == 24
        noted = [line for line in lines if line.note]
        assert [(one.at.hour, one.figures.posted) for one in noted] == [(hour, count)]
        assert words in noted[0].note


def test_today_and_usual_days_are_those_of_the_service(cast):
    in_zone(cast, "Pacific/Auckland")
    with time_machine.travel("2026-07-01T13:30Z", tick=False):  # the second, half past one
        page = cast["auditor"].get(REPORTS)
        chosen = {days.label: days.address for days in page.context["usual_days"]}
    assert page.context["asked"].until == date(2026, 7, 2)
    assert "from=2026-07-01&until=2026-07-01" in chosen["Yesterday"]


def test_another_time_zone_counts_everything_again_also_what_is_archived(cast):
    in_zone(cast, "Asia/Kolkata")
    early = datetime(2026, 3, 9, 18, 40, tzinfo=UTC)  # the tenth in Kolkata, the ninth in London and New York
    send = posted(cast, early, early + MINUTE, early + timedelta(hours=6))
    first = send.messages.order_by("pk").first()
    facts.fold()
    with transaction.atomic():
        facts.keep(first.pk, first.pk)
        Message.objects.filter(pk=first.pk).delete()
    assert KeptFact.objects.exists()

    def days() -> dict[str, int]:
        page = cast["auditor"].get(REPORTS, {"from": "2026-03-08", "until": "2026-03-11"})
        lines = page.context["report"].lines
        return {str(line.at.date()): line.figures.posted for line in lines if line.figures.posted}

    assert days() == {"2026-03-10": 3}
    assert not facts.zones_changed()
    in_zone(cast, "America/New_York")
    assert facts.zones_changed()
    assert days() == {"2026-03-10": 3}, "one truth: the days of before, until all are counted again"
    posted(cast, datetime(2026, 3, 9, 19, tzinfo=UTC))
    facts.fold()
    page = cast["auditor"].get(REPORTS)
    assert "days in Asia/Kolkata" in page.text
    assert "The time zone of Shop is America/New_York now" in " ".join(page.text.split())
    assert days() == {"2026-03-10": 4}
    facts.rebuild()
    assert not facts.zones_changed()
    assert FactZone.objects.get(pk=cast.service.pk).zone == "America/New_York"
    assert days() == {"2026-03-09": 4}
    page = cast["auditor"].get(REPORTS)
    assert "days in America/New_York" in page.text
    assert page.context["zone_to_come"] == ""
    assert facts.compare()[1] is None


def test_the_background_counts_again_after_a_change(cast, monkeypatch):
    ran = []
    monkeypatch.setattr(
        "sms.worker.jobs.subprocess.Popen", lambda command: ran.append(command[-1]) or _Done()
    )
    posted(cast, datetime(2026, 3, 9, 18, 40, tzinfo=UTC))
    facts.fold()
    run_job("days of another time zone")
    assert ran == []
    in_zone(cast, "Asia/Kolkata")
    run_job("days of another time zone")
    assert ran == ["rebuild_facts"]


class _Done:
    returncode = 0

    def poll(self) -> int:
        return 0


def test_programs_are_told_whose_days_they_get(cast):
    in_zone(cast, "Asia/Kolkata")
    posted(cast, datetime(2026, 3, 9, 18, 40, tzinfo=UTC))
    facts.fold()
    _, partner = a_partner(service=cast.service)
    asked = "from=2026-03-09T18:30:00Z&until=2026-03-10T18:30:00Z"
    (day,) = partner.get(f"reports/days?{asked}").json()["items"]
    assert (day["day"], day["time_zone"], day["posted"]) == ("2026-03-10", "Asia/Kolkata", 1)


def test_a_report_by_mail_goes_at_six_by_the_services_clock_and_moves_with_it(cast):
    in_zone(cast, "Pacific/Honolulu")
    posted(
        cast, datetime(2026, 3, 9, 9, 59, tzinfo=UTC), datetime(2026, 3, 9, 10, tzinfo=UTC)
    )  # Sunday, Monday
    facts.fold()
    due = next_time("week", datetime(2026, 3, 9, 6, tzinfo=UTC), "Pacific/Honolulu")
    assert due == datetime(2026, 3, 9, 16, tzinfo=UTC)
    one = ReportSchedule.objects.create(
        service=cast.service, name="Weekly", recipients=["auditor@example.test"], next_at=due, made_by="a"
    )
    assert reports.send_due(public_url="https://desk.example.test", now=due) == 1
    (letter,) = mail.outbox
    assert "2 March 2026 to 8 March 2026 (days in Pacific/Honolulu)" in letter.body
    assert "of them posted 1\n" in letter.body
    in_zone(cast, "Asia/Kolkata")
    facts.rebuild()
    one.refresh_from_db()
    there = one.next_at.astimezone(ZoneInfo("Asia/Kolkata"))
    assert (there.date(), there.time()) == (date(2026, 3, 16), time(6))


@given(
    st.sampled_from(
        ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kolkata"]
    ),
    st.integers(1_700_000, 2_200_000),
    st.integers(0, 80_000),
)
def test_shifts_of_a_zone_are_those_of_its_clock(zone, first, length):
    clock, shifts = ZoneInfo(zone), shifts_of(zone, first, first + length)
    assert shifts[-1].until == first + length + 1
    begin = first
    for one in shifts:
        for quarter in {begin, (begin + one.until) // 2, one.until - 1}:
            there = datetime.fromtimestamp(quarter * QUARTER, clock)
            assert there.utcoffset() == timedelta(seconds=one.by * QUARTER)
        begin = one.until
