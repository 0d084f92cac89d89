"""Reports: figures with their coverage, filters in the address, files, access, and a fixed number of queries."""

import io
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from python_calamine import CalamineWorkbook

from sms import reports
from sms.ledger import states
from sms.ledger.counters import CounterDeltas
from sms.ledger.state_machine import StateChange
from sms.models import AuditEvent, Fact, Message, ReportFile, ReportSchedule, Send
from sms.models.sql.messages import Acceptance
from sms.operations import totals
from sms.reports import facts
from sms.reports.mail import next_time
from tests.support.people import Cast, a_cast
from tests.support.sends import a_send

pytestmark = pytest.mark.django_db
URL = "/s/shop/reports/"


@pytest.fixture
def cast() -> Cast:
    return a_cast()


def text_of(response) -> str:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body.decode()))


def sent(service, count: int = 30, *, failed: int = 3, heard: int = 25, days_ago: int = 0, **changes) -> Send:
    """A send of which some messages were heard of, and some of those failed."""
    send = a_send(service, count, **changes)
    at = timezone.now() - timedelta(days=days_ago)
    ids = list(send.messages.order_by("pk").values_list("pk", flat=True))
    deltas = CounterDeltas()
    states.arm(ids, at=at, deltas=deltas)
    states.accept([Acceptance(pk, 1, "p") for pk in ids], at=at + timedelta(seconds=1), deltas=deltas)
    news = [
        StateChange(
            pk,
            "failed" if index < failed else "delivered",
            at + timedelta(seconds=5),
            code="7203" if index < failed else "",
            carrier="o2" if index % 2 else "ee",
            segments=1,
        )
        for index, pk in enumerate(ids[:heard])
    ]
    states.apply(news, deltas=deltas)
    deltas.write()
    return send


def test_figures_stand_with_what_they_cover(cast):
    sent(cast.service)
    facts.fold()
    shown = text_of(cast["composer"].get(URL))
    assert "30 30 posted" in shown
    assert "88 % 22 of 25 whose end is known" in shown
    assert "83.3 % 25 of 30 with a final receipt" in shown
    assert "not measurable no tracked links" in shown
    assert "p50 · p95 · p99" in shown
    assert re.search(r"[\d.]+ s typical; slowest 5 %: [\d.]+ s or more", shown)
    assert '<details class="report-filters">' in cast["composer"].get(URL).text, (
        "they are there, and none is on"
    )


def test_usual_days_are_one_press_and_keep_the_rest(cast):
    with time_machine.travel("2026-03-02T10:00Z", tick=False):
        page = cast["composer"].get(f"{URL}?by=sender&country=GB&compare=before")
    shown = {days.label: days for days in page.context["usual_days"]}
    spans = {
        "Today": ("2026-03-02", "2026-03-02"),
        "Yesterday": ("2026-03-01", "2026-03-01"),
        "Last 7 days": ("2026-02-24", "2026-03-02"),
        "Last 30 days": ("2026-02-01", "2026-03-02"),
        "This month": ("2026-03-01", "2026-03-02"),
        "Last month": ("2026-02-01", "2026-02-28"),
        "This year": ("2026-01-01", "2026-03-02"),
    }
    rest = {"by": "sender", "country": "GB", "compare": "before"}
    for label, (since, until) in spans.items():
        asked = dict(parse_qsl(urlsplit(shown[label].address).query))
        assert asked == rest | {"from": since, "until": until}, label
    assert [label for label, days in shown.items() if days.current] == ["Last 30 days"]
    assert '<details class="report-filters" open>' in page.text, "a filter is on"
    with time_machine.travel("2026-03-02T10:00Z", tick=False):
        by_hour = cast["composer"].get(f"{URL}?by=hour").context["usual_days"]
    assert {days.label for days in by_hour} == set(spans) - {"This year"}, (
        "a report by hour takes no more than 31 days"
    )


def test_a_report_is_kept_under_a_name_without_its_days(cast):
    asked = "by=country&from=2026-01-01&until=2026-01-31&compare=before&country=GB"
    cast["composer"].post("/s/shop/filters/", {"of": "reports", "name": "Britain", "query": asked})
    page = cast["composer"].get(f"{URL}?{asked}")
    (chip,) = page.context["kept"].chips
    assert (chip.name, chip.query, chip.current) == ("Britain", "by=country&compare=before&country=GB", True)
    assert not cast["composer"].get(URL).context["kept"].query, "as it opens there is nothing to keep"


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ("hour", ":00"),
        ("send", "To 30 recipients"),
        ("sender", "SHOP"),
        ("template", "No template"),
        ("domain", "No tracked links"),
        ("policy_group", "No policy group"),
        ("label", "No label"),
        ("country", "United Kingdom"),
        ("carrier", "o2"),
        ("code", "7203"),
        ("person", "No person"),
        ("partner", "No partner"),
    ],
)
def test_by_everything(cast, by, said):
    sent(cast.service)
    facts.fold()
    response = cast["auditor"].get(URL, {"by": by})
    assert response.status_code == 200
    assert said in text_of(response)


def test_a_filter_in_the_address_counts_only_that(cast):
    sent(cast.service)
    facts.fold()
    response = cast["approver"].get(URL, {"by": "day", "carrier": "o2", "country": "GB"})
    assert response.context["report"].total.messages == 12
    assert "country United Kingdom, carrier o2" in text_of(response)
    both = cast["approver"].get(URL, {"by": "sender", "carrier": "o2"})
    assert both.context["report"].total.messages == 12
    assert "not by both at once" in text_of(both), (
        "times of a sender on a carrier are not kept, and it says so"
    )


def test_by_label_the_page_says_how_it_counts_and_leads_on(cast):
    sent(cast.service, 20, labels=["sale", "vip"])
    sent(cast.service, 10, labels=["vip"])
    facts.fold()
    shown = cast["auditor"].get(URL, {"by": "label"})
    assert "A send with two labels counts in both lines" in text_of(shown)
    assert shown.context["report"].total.messages == 30
    lines = {row.label: row for row in shown.context["rows"]}
    assert (lines["vip"].cells[0].text, lines["sale"].cells[0].text) == ("30", "20")
    closer = cast["auditor"].get(lines["sale"].address)
    assert closer.context["report"].total.messages == 20 and "label sale" in text_of(closer)


def test_the_list_of_sends_is_narrowed_by_label(cast):
    send = a_send(cast.service, name="Labelled one", labels=["Sale"])
    a_send(cast.service, name="Bare one")
    shown = text_of(cast["auditor"].get("/s/shop/sends/", {"label": "Sale"}))
    assert "Labelled one" in shown and "Bare one" not in shown
    assert "No such send" in text_of(cast["auditor"].get("/s/shop/sends/", {"label": "vip"}))
    assert (
        'href="/s/shop/sends/?label=sale"'
        in cast["auditor"].get(f"/s/shop/sends/{send.pk}/").content.decode()
    )


def test_a_whole_number_is_shown_for_a_reason_that_stays_in_the_audit(cast):
    found = a_send(cast.service).messages.get()
    url = f"/s/shop/messages/{found.pk}/number/"
    assert found.msisdn not in text_of(cast["auditor"].get(url))
    assert cast["auditor"].post(url, {"reason": ""}).status_code == 422
    assert cast["composer"].post(url, {"reason": "x"}).status_code == 403
    assert not AuditEvent.objects.filter(act="message.revealed").exists()
    shown = cast["auditor"].post(url, {"reason": f"asked about {found.msisdn}"})
    assert found.msisdn in text_of(shown) and "no-store" in shown["Cache-Control"]
    event = AuditEvent.objects.get(act="message.revealed")
    assert event.details["message"] == found.pk and "•••" in event.details["reason"]


def test_nonsense_in_the_address_is_reported_and_left_out(cast):
    shown = text_of(
        cast["auditor"].get(
            URL, {"by": "phase", "from": "soon", "compare": "x", "sender": "'; DROP", "before": "x"}
        )
    )
    assert "There is no report by “phase”" in shown
    assert "“from” is no date" in shown
    assert "There is no sender" in shown


@pytest.mark.parametrize(
    ("address", "days", "sentence"),
    [
        ("", ("2026-02-01", "2026-03-02"), ""),
        ("by=hour", ("2026-03-01", "2026-03-02"), ""),
        ("until=2026-01-31", ("2026-01-02", "2026-01-31"), ""),
        ("from=2026-02-28", ("2026-02-28", "2026-03-02"), ""),
        ("from=2026-03-02&until=2026-02-28", ("2026-02-28", "2026-03-02"), "they were swapped"),
        ("from=2024-01-01&until=2025-12-31", ("2024-01-01", "2025-12-31"), ""),
        ("from=2023-12-31&until=2025-12-31", ("2024-01-01", "2025-12-31"), "takes 731 days at most"),
        ("by=hour&from=2026-01-01&until=2026-01-31", ("2026-01-01", "2026-01-31"), ""),
        ("by=hour&from=2026-01-01&until=2026-02-01", ("2026-01-02", "2026-02-01"), "takes 31 days at most"),
        ("from=1990-01-01&until=1990-01-01", ("1990-01-01", "1990-01-01"), ""),
        ("until=1989-12-31", ("2026-02-01", "2026-03-02"), "“until” is no date"),
        ("until=2201-01-01", ("2026-02-01", "2026-03-02"), "“until” is no date"),
    ],
)
@time_machine.travel(datetime(2026, 3, 2, 23, 30, tzinfo=UTC), tick=False)
def test_the_days_of_an_address(cast, address, days, sentence):
    page = cast["auditor"].get(f"{URL}?{address}")
    asked = page.context["asked"]
    assert (str(asked.since), str(asked.until)) == days
    assert len(page.context["wrong"]) == bool(sentence)
    assert sentence in text_of(page)
    again = cast["auditor"].get(page.context["address"])
    assert again.context["asked"] == asked
    assert again.context["wrong"] == []


@pytest.mark.parametrize("value", ["none", "7", "9" * 17])
def test_a_filter_by_id_stands_in_the_address(cast, value):
    page = cast["auditor"].get(f"{URL}?sender={value}&template={'9' * 18}&label=a%20b")
    assert page.context["asked"].filters == {"sender": value, "label": "a b"}
    assert len(page.context["wrong"]) == 1
    again = cast["auditor"].get(page.context["address"])
    assert again.context["asked"] == page.context["asked"]


def test_an_earlier_period_stands_beside(cast):
    sent(cast.service, 30)
    sent(cast.service, 20, days_ago=7, heard=20)
    facts.fold()
    today = datetime.now(UTC).date()
    given = {"from": str(today - timedelta(days=6)), "until": str(today), "compare": "before"}
    response = cast["auditor"].get(URL, given)
    assert response.context["report"].total.messages == 30
    assert response.context["report"].earlier.messages == 20
    assert "+50 % on 20" in text_of(response)


def test_sends_of_canada_have_segments_that_cannot_be_measured(cast):
    send = sent(cast.service)
    facts.fold()
    Message.objects.filter(send=send).update(country="CA", segments_billed=None)
    facts.rebuild()
    shown = text_of(cast["auditor"].get(URL, {"by": "country"}))
    assert "not measurable not reported in Canada and India" in shown


def test_the_number_of_queries_is_the_same_for_many(cast):
    def queries(**given) -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert cast["auditor"].get(URL, given).status_code == 200
        return len(seen)

    sent(cast.service)
    facts.fold()
    few = {by: queries(by=by) for by in reports.BY}
    for days in range(1, 12):
        sent(cast.service, 5, heard=5, days_ago=days)
    facts.fold()
    many = {by: queries(by=by) for by in reports.BY}
    assert many == few
    assert max(many.values()) <= 17, many  # two of each page: rules about second factors, unread notices


def test_csv_and_xlsx_hold_the_same_and_run_nothing(cast):
    sent(cast.service, name="=HYPERLINK(1)")
    facts.fold()
    given = {"query": "by=send", "kind": "csv"}
    answer = cast["auditor"].post(f"{URL}export/", given)
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert lines[1].startswith("'=HYPERLINK(1)")
    book = cast["auditor"].post(f"{URL}export/", given | {"kind": "xlsx"})
    rows = (
        CalamineWorkbook.from_filelike(io.BytesIO(b"".join(book.streaming_content)))
        .get_sheet_by_index(0)
        .to_python()
    )
    assert rows[1][0] == "=HYPERLINK(1)"
    assert [str(cell) for cell in rows[0]][:4] == ["send", "about", "when (Europe/London)", "messages"]
    assert rows[1][3] == 30
    assert AuditEvent.objects.filter(act="report.exported").count() == 2


def test_a_long_report_is_made_in_the_background(cast, monkeypatch):
    monkeypatch.setattr("portal.views.reports.AT_ONCE", 2)
    for _ in range(3):
        sent(cast.service, 1, failed=0, heard=1)
    facts.fold()
    for kind in ("csv", "xlsx"):
        cast["auditor"].post(f"{URL}export/", {"query": "by=send", "kind": kind})
    assert "0 of 3" in text_of(cast["auditor"].get("/s/shop/report-files/"))
    assert reports.make_files() == 2
    for one in ReportFile.objects.all():
        assert (one.done, one.rows) == (3, 3)
        answer = cast["auditor"].post(f"/s/shop/report-files/{one.pk}/")
        assert len(b"".join(answer.streaming_content)) == one.size
    assert AuditEvent.objects.filter(act="report.fetched").count() == 2


def test_a_file_that_is_cancelled_is_not_made(cast, monkeypatch):
    monkeypatch.setattr("portal.views.reports.AT_ONCE", 0)
    sent(cast.service, 1, failed=0, heard=1)
    facts.fold()
    cast["auditor"].post(f"{URL}export/", {"query": "by=send", "kind": "csv"})
    one = ReportFile.objects.get()
    cast["auditor"].post(f"/s/shop/report-files/{one.pk}/cancel/")
    assert reports.make_files() == 0
    assert "Cancelled" in text_of(cast["auditor"].get("/s/shop/report-files/"))


def test_who_may_see_and_who_may_take_away(cast):
    for who in ("composer", "approver", "admin", "auditor"):
        assert cast[who].get(URL).status_code == 200
    assert cast["composer"].post(f"{URL}export/", {"query": "", "kind": "csv"}).status_code == 403
    assert cast["foreigner"].get(URL).status_code == 404


def test_service_levels_have_percentiles_and_a_budget(cast):
    sent(cast.service)
    facts.fold()
    shown = text_of(cast["composer"].get(f"{URL}levels/"))
    assert "goal 99 % within 1 min" in shown
    assert "of the budget left" in shown
    assert "83.3 % 25 of 30" in shown


def test_metrics_are_for_this_machine_or_the_token(cast, settings):
    sent(cast.service)
    facts.fold()
    totals.work_out()
    client = cast["visitor"]
    shown = client.get("/metrics")
    assert shown["Content-Type"].startswith("text/plain; version=0.0.4")
    body = shown.content.decode()
    assert 'textdesk_messages{service="shop",state="delivered"} 22' in body
    assert 'textdesk_step_seconds_count{service="shop",step="deliver"} 22' in body
    assert 'textdesk_step_seconds_bucket{service="shop",step="deliver",le="10"} 22' in body
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 403
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 403
    settings.METRICS_TOKEN = "a-token"
    far = {"REMOTE_ADDR": "203.0.113.9"}
    assert client.get("/metrics", headers={"Authorization": "Bearer a-token"}, **far).status_code == 200
    assert client.get("/metrics", headers={"Authorization": "Bearer é"}, **far).status_code == 403


def test_a_report_by_mail_goes_to_people_who_are_still_there(cast):
    sent(cast.service, days_ago=3)
    facts.fold()
    given = {
        "name": "Weekly",
        "every": "week",
        "by": "day",
        "people": ["auditor@example.test", "composer@example.test"],
    }
    assert cast["auditor"].post("/s/shop/report-schedules/", given).status_code == 302
    one = ReportSchedule.objects.get()
    assert one.next_at.weekday() == 0
    cast.service.memberships.filter(user__email="composer@example.test").delete()
    at = one.next_at + timedelta(minutes=3)
    assert reports.send_due(public_url="https://desk.example.test", now=at) == 1
    assert reports.send_due(public_url="https://desk.example.test", now=at) == 0
    (letter,) = mail.outbox
    assert letter.bcc == ["auditor@example.test"]
    assert letter.attachments[0][0].endswith(".csv")
    one.refresh_from_db()
    assert one.next_at == next_time("week", at, "Europe/London")
    assert AuditEvent.objects.filter(act="report.mailed").exists()
    cast["auditor"].post(f"/s/shop/report-schedules/{one.pk}/remove/")
    assert not ReportSchedule.objects.exists()


def test_only_people_of_the_service_can_get_it(cast):
    given = {"name": "Weekly", "every": "week", "by": "day", "people": ["foreigner@example.test"]}
    assert cast["auditor"].post("/s/shop/report-schedules/", given).status_code == 422


def test_a_month_begins_on_its_first():
    assert next_time("month", datetime(2026, 3, 1, 6, 0, tzinfo=UTC), "UTC") == datetime(
        2026, 4, 1, 6, 0, tzinfo=UTC
    )
    assert next_time("week", datetime(2026, 3, 2, 5, 0, tzinfo=UTC), "UTC") == datetime(
        2026, 3, 2, 6, 0, tzinfo=UTC
    )


def test_an_empty_report_says_so(cast):
    assert "No messages in these days" in text_of(cast["composer"].get(URL))
    assert not Fact.objects.exists()


def test_a_long_table_has_pages_and_its_picture_is_whole(cast, monkeypatch):
    monkeypatch.setattr("portal.views.reports.LINES", 3)
    for days in range(5):
        sent(cast.service, 1, failed=0, heard=1, days_ago=days)
    facts.fold()
    first, second = cast["auditor"].get(URL), cast["auditor"].get(URL, {"page": 2})
    assert "Rows 1 to 3 of 5" in text_of(first)
    assert "Rows 4 to 5 of 5" in text_of(second)
    assert len(second.context["course"].columns) == 30
