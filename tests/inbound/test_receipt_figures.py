"""Receipts to the figure: what a page counts, when one is tried again, what is left of one, and what an export's row becomes."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from sms.inbound import receipts
from sms.inbound.receipts import gaps, import_export, note_silence, replay, retry, shorten
from sms.inbound.receipts.overview import overview_of
from sms.inbound.receipts.replay import count_since
from sms.inbound.receipts.silence import find_gaps
from sms.models import AuditEvent, Click, Message, Receipt, ReceiptInbox, StateCount
from sms.models.receipt import GIVE_UP
from tests.support.provider import Provider
from tests.support.receipts import posted_message, receipt
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db
NOW = datetime(2027, 3, 2, 9, 0, tzinfo=UTC)


def stored(
    service, *, ago: timedelta = timedelta(0), why: str = "", raw: bytes = b"{}", now: datetime = NOW
) -> Receipt:
    made = Receipt.objects.create(
        service=service, raw=raw, received_at=now - ago, dedupe=Receipt.objects.count().to_bytes(16, "big")
    )
    if why:
        ReceiptInbox.objects.create(receipt=made, received_at=made.received_at, why=why, next_at=now)
    return made


def test_an_overview_counts_minutes_hours_and_what_is_set_aside():
    service, other = a_service(), a_service(slug="other", name="Other")
    minute, hour, second = timedelta(minutes=1), timedelta(hours=1), timedelta(seconds=1)
    for ago in (hour, hour - second, minute, minute - second, second):
        stored(service, ago=ago)
    waiting, unknown, bad, broke = (
        stored(service, ago=hour, why=why) for why in ("new", "unknown", "unreadable", "broke")
    )
    stored(other, why="unknown")
    found = SimpleNamespace(**overview_of(service, now=NOW))
    assert (found.last, found.last_minute, found.last_hour, found.more) == (NOW - second, 2, 4, False)
    assert (found.waiting, found.unmatched, found.quarantined) == (1, 1, 2)
    assert [one.pk for one in found.quarantine] == [broke.pk, bad.pk]
    assert [one.pk for one in found.orphans] == [unknown.pk]
    assert (found.spool_files, found.spool_bytes, list(found.gaps)) == (0, 0, [])
    assert waiting.pk
    empty = SimpleNamespace(**overview_of(a_service(slug="empty", name="Empty"), now=NOW))
    assert (empty.last, empty.last_minute, empty.last_hour) == (None, 0, 0)


def test_what_was_set_aside_is_tried_again_one_or_all():
    service = a_service()
    new, one, two = (stored(service, why=why) for why in ("new", "unknown", "broke"))
    ReceiptInbox.objects.update(tries=4, reason="x")
    stored(a_service(slug="other", name="Other"), why="unknown")
    before = timezone.now()
    assert retry(service, one.pk) == 1
    rows = ReceiptInbox.objects.filter(receipt__service=service).order_by("pk")
    fields = ("pk", "why", "reason", "tries")
    assert list(rows.values_list(*fields)) == [
        (new.pk, "new", "x", 4),
        (one.pk, "new", "", 0),
        (two.pk, "broke", "x", 4),
    ]
    assert before <= rows.get(pk=one.pk).next_at <= timezone.now()
    assert retry(service, new.pk) == 0, "it waits already"
    assert retry(service) == 1
    assert not rows.exclude(why="new").exists()


def test_a_replay_puts_back_what_came_in_within_its_time_and_in_batches():
    service = a_service()
    rows = [stored(service, ago=timedelta(hours=ago), now=NOW) for ago in (10, 5, 4, 3, 2)]
    stored(a_service(slug="other", name="Other"), ago=timedelta(hours=4))
    aside = rows[2]
    ReceiptInbox.objects.create(
        receipt=aside, received_at=aside.received_at, why="unknown", tries=3, reason="x", next_at=NOW
    )
    since, until = NOW - timedelta(hours=5), NOW - timedelta(hours=2)
    assert count_since(service, since=since, most=99) == 4
    assert count_since(service, since=since, most=2) == 2
    assert list(replay(service, since=since, until=until, batch=2)) == [2, 1]
    inbox = ReceiptInbox.objects.order_by("pk")
    assert [(one.pk, one.why, one.tries, one.reason) for one in inbox] == [
        (row.pk, "new", 0, "") for row in rows[1:4]
    ]
    assert list(replay(service, since=since, until=since)) == []


@pytest.mark.parametrize(
    ("tries", "seconds"),
    [(0, 10), (1, 60), (2, 600), (3, 3600), (4, 86_400), (GIVE_UP - 1, 86_400), (GIVE_UP, 3650 * 86_400)],
)
def test_a_receipt_of_no_message_is_tried_ever_more_seldom(tries, seconds):
    now = timezone.now()
    stored(a_service(), why="new", raw=receipt("nothing-of-ours", transid="t-unknown"), now=now)
    ReceiptInbox.objects.update(tries=tries)
    assert receipts.fold(now=now) == 1
    row = ReceiptInbox.objects.get()
    assert (row.why, row.reason, row.tries) == ("unknown", "It names no message of this service.", tries + 1)
    assert (row.next_at - now).total_seconds() == seconds
    assert receipts.fold(now=now) == 0, "not before its time"


def test_an_unreadable_receipt_is_set_aside_for_good():
    now = timezone.now()
    stored(a_service(), why="new", raw=b"nonsense", now=now)
    assert receipts.fold(now=now) == 1
    row = ReceiptInbox.objects.get()
    assert (row.why, row.tries, (row.next_at - now).days) == ("unreadable", 1, 3650)
    assert row.reason


def test_a_receipt_is_matched_by_our_name_and_else_by_the_providers_id():
    service = a_service()
    send = a_send(service, 2)
    Provider().dispatch()
    first, second = send.messages.order_by("pk")
    now = timezone.now()
    stored(service, why="new", raw=receipt("theirs", transid=first.provider_id), now=now)
    assert receipts.fold(now=now) == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("delivered", "queued")
    assert first.final_at == datetime(2026, 3, 2, 9, 15, 7, 412000, tzinfo=UTC)
    raw = receipt("theirs", transid=second.provider_id, info={"timeStamp": ""})
    stored(service, why="new", now=now, ago=timedelta(minutes=5), raw=raw)
    receipts.fold(now=now)
    second.refresh_from_db()
    assert second.final_at == now - timedelta(minutes=5), "without a time of its own it is when it came in"


@pytest.mark.parametrize(
    ("agent", "state"),
    [("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15", "delivered"),
     ("python-requests/2.32.3", "submitted"), ("Googlebot/2.1", "submitted"), ("", "delivered")],
)  # fmt: skip
def test_a_click_proves_a_delivery_unless_it_may_have_come_from_the_way(agent, state):
    message, name = posted_message(a_service())
    info = {"Description": "https://x.test/a|203.0.113.9", "additionalInfo": agent}
    now = timezone.now()
    stored(
        message.send.service, why="new", now=now, raw=receipt(name, code="7504", status="Clicked", info=info)
    )
    receipts.fold(now=now)
    message.refresh_from_db()
    assert message.state == state
    click = Click.objects.get()
    assert (click.url, click.ip, click.user_agent, click.message_id) == (
        "https://x.test/a",
        "203.0.113.9",
        agent,
        message.pk,
    )


def test_what_is_left_of_a_shortened_receipt():
    info = {
        "timeStamp": "2026-03-02T09:15:07Z",
        "messageCount": "2",
        "destination": "447710000000",
        "additionalInfo": "x",
    }
    raw = receipt(
        "c-1", code="7203", status="Un-Delivered", info=info, carrier="GBVOD", callbackData="order-7"
    )
    found = json.loads(
        shorten.bare_receipt(raw) if hasattr(shorten, "bare_receipt") else shorten.shortened({1: raw})[1]
    )
    assert found == {
        "deliveryInfoNotification": {
            "deliveryInfo": {
                "code": "7203", "deliveryStatus": "Un-Delivered", "deliveryChannel": "SMS",
                "timeStamp": "2026-03-02T09:15:07+00:00", "messageCount": "2",
            },
            "transid": "t-1", "correlationid": "c-1", "carrier": "GBVOD",
        },
        "shortened": True,
    }  # fmt: skip


# --- silence ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("before", "count"), [(timedelta(hours=72), 0), (timedelta(hours=72, minutes=6), 1)])
def test_a_message_without_a_report_for_three_days(before, count):
    send = a_send(a_service(), 1)
    Provider().dispatch()
    message = send.messages.get()
    now = message.posted_at + before
    assert note_silence(now=now) == count
    message.refresh_from_db()
    if count:
        assert (message.state, message.detail) == ("no_report", "No final receipt arrived within 72 hours.")
        assert send.counts() == {"no_report": 1}
    else:
        assert message.state == "queued"


def test_silence_is_noted_up_to_a_limit_in_batches():
    send = a_send(a_service(), 5)
    Provider().dispatch()
    now = timezone.now() + timedelta(hours=73)
    assert note_silence(now=now, limit=3, batch=2) in (3, 4)
    left = send.messages.filter(state="queued").count()
    assert note_silence(now=now, limit=99, batch=2) == left > 0
    assert note_silence(now=now) == 0
    assert send.counts() == {"no_report": 5}


def gap(*windows: tuple[int, int, int]) -> list[tuple]:
    posted = {window: count for window, count, _ in windows}
    ended = {window: count for window, _, count in windows if count}
    return [
        (int(one.begins.timestamp()) // StateCount.WINDOW, int(one.ends.timestamp()) // StateCount.WINDOW,
         one.posted, one.ended, one.usual, one.share, one.missing)
        for one in find_gaps(posted, ended)
    ]  # fmt: skip


def test_gaps():
    day = [(number, 100, 80) for number in range(1, 9)]
    assert gap(*day) == []
    assert gap(*day, (20, 100, 61)) == []
    assert gap(*day, (20, 100, 59)) == [(20, 21, 100, 59, 80, 59, 21)]
    assert gap(*day, (20, 19, 0)) == [], "too few"
    assert gap(*day, (20, 20, 0)) == [(20, 21, 20, 0, 80, 0, 16)]
    assert gap(*day, (20, 100, 0), (21, 100, 10), (30, 50, 0)) == [(20, 31, 250, 10, 80, 4, 190)]
    assert gap(*day, (20, 100, 0), (21, 100, 80), (30, 50, 0)) == [
        (30, 31, 50, 0, 80, 0, 40),
        (20, 21, 100, 0, 80, 0, 80),
    ]
    assert gap((1, 100, 0)) == [(1, 2, 100, 0, None, 0, 100)]
    assert gap((1, 100, 90), (2, 100, 80), (3, 100, 50), (4, 100, 40)) == [(3, 5, 200, 90, 90, 45, 90)]
    assert gap() == []


def test_gaps_of_a_service_are_of_the_last_day_and_not_of_the_last_minutes():
    service = a_service()
    send = a_send(service, 1)
    window = StateCount.WINDOW
    now = datetime.fromtimestamp((int(NOW.timestamp()) // window) * window, UTC)
    last = int(now.timestamp()) // window

    def count(ago: int, state: str = "queued", posted: int = 100) -> None:
        StateCount.objects.create(send=send, state=state, code="", window=last - ago, delta=posted)

    count(0), count(1), count(400)  # fmt: skip
    assert gaps(service, now=now) == []
    count(3)
    found = gaps(service, now=now)
    assert [(one.posted, one.ended) for one in found] == [(100, 0)]
    count(3, "delivered", 300)
    assert gaps(service, now=now) == []
    assert gaps(a_service(slug="other", name="Other"), now=now) == []
    count(287)
    assert len(gaps(service, now=now)) == 1


# --- exports ------------------------------------------------------------------------------------------------------------
def imported(service, *rows: str):
    found = import_export(service, "\n".join(rows).encode())
    return (found.rows, found.new, found.known, found.refused), found.wrong


def test_an_export_is_counted_row_by_row():
    message, name = posted_message(a_service())
    service = message.send.service
    head = "Correlation ID;Trans ID;Status;Code;Time;Segments;Operator;To"
    row = f"{name};t-9;Delivered;7500;2026-03-02 09:15:07;2;GBVOD;447710000000"
    figures, wrong = imported(
        service, head, row, row, ";;;;;;;", ";;Delivered;7500;;;;", f"{name};;;;;;;", f"{name};t;Delivered;;yesterday;;;"
    )  # fmt: skip
    assert figures == (5, 1, 1, 3)
    assert wrong == [
        (5, "It names no message."),
        (6, "It says neither code nor status."),
        (7, "Its time “yesterday” cannot be read. Write it as 2026-03-02 09:15:07."),
    ]
    assert json.loads(bytes(Receipt.objects.get(service=service).raw)) == {
        "deliveryInfoNotification": {
            "correlationid": name, "transid": "t-9", "carrier": "GBVOD",
            "deliveryInfo": {
                "deliveryStatus": "Delivered", "code": "7500", "timeStamp": "2026-03-02 09:15:07",
                "destination": "447710000000", "messageCount": "2",
            },
        },
        "imported": True,
    }  # fmt: skip
    one = Receipt.objects.get(service=service)
    assert (one.message_id, one.attempt) == (message.pk, 1)
    receipts.fold()
    message.refresh_from_db()
    assert (message.state, message.segments_billed, message.carrier) == ("delivered", 2, "GBVOD")


@pytest.mark.parametrize(
    ("times", "read"),
    [
        (["03/04/2026 10:00", "13/04/2026 10:00"], "2026-04-03T10:00:00+00:00"),
        (["03/04/2026 10:00", "04/13/2026 10:00"], "2026-03-04T10:00:00+00:00"),
        (["03.04.2026 10:00:05", "13.04.2026 10:00"], "2026-04-03T10:00:05+00:00"),
        (["03-04-2026 10:00:05 PM", "04-13-2026 10:00"], "2026-03-04T22:00:05+00:00"),
        (["03/04/2026 10:00", "12/12/2026 10:00"], None),
        (["03/04/2026 10:00", "13/04/2026 10:00", "04/13/2026 10:00"], None),
        (["3 Apr 2026 10:00"], "2026-04-03T10:00:00+00:00"),
        (["2026/04/03 10:00"], "2026-04-03T10:00:00+00:00"),
    ],
)
def test_a_date_is_read_as_the_file_writes_it(times, read):
    service = a_service()
    rows = [f"t-{at},7500,{time}" for at, time in enumerate(times)]
    _, wrong = imported(service, "transid,code,time", *rows)
    first = next((one for one in Receipt.objects.order_by("pk") if b'"t-0"' in bytes(one.raw)), None)
    if read is None:
        assert first is None
        assert wrong[0] == (2, "Its time “03/04/2026 10:00” may be day or month first, and no other row shows which. "
                               "Write it as 2026-03-02 09:15:07.")  # fmt: skip
    else:
        assert json.loads(bytes(first.raw))["deliveryInfoNotification"]["deliveryInfo"]["timeStamp"] == read


def test_a_row_that_ends_early_has_what_it_has():
    assert imported(a_service(), "transid,code,time,to", "t-1,7500", "t-2")[0] == (2, 1, 0, 1)


def test_a_payload_is_the_receipt_itself():
    message, name = posted_message(a_service())
    raw = receipt(name).decode().replace('"', '""')
    figures, wrong = imported(message.send.service, "Payload", f'"{raw}"', "nonsense")
    assert (figures, wrong) == ((2, 1, 0, 1), [(3, "Its payload is no JSON.")])
    one = Receipt.objects.get(message_id=message.pk)
    assert bytes(one.raw) == receipt(name)


def test_a_file_that_is_no_export_says_what_is_missing():
    from sms.inbound.receipts import NotAnExport, provider_export

    service = a_service()
    for content, words in (
        (b"code\n7500", "No column names the message"),
        (b"transid\nt", "No column has the state"),
    ):
        with pytest.raises(NotAnExport, match=words):
            import_export(service, content)
    with pytest.raises(NotAnExport, match="over 100 MB"):
        import_export(service, b"x" * (provider_export.LARGEST_FILE + 1))
    assert imported(service, "transid\tcode", *(f"\t{at}" for at in range(25)))[0] == (25, 0, 0, 25)
    assert len(imported(service, "transid\tcode", *(f"\t{at}" for at in range(25)))[1]) == 20
    utf16 = "transid|code\nt-5|7500\n".encode("utf-16")
    assert import_export(service, utf16).new == 1
    assert not AuditEvent.objects.filter(act="none").exists() and not Message.objects.exists()
