"""The sandbox's log and its page of phones, field by field."""

import asyncio
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from sms.webex.sandbox import handsets
from sms.webex.sandbox.message_log import DeliveryAttempt, MessageLog, SandboxMessage
from sms.webex.sandbox.outcomes import STOPPED
from sms.webex.sandbox.settings import Settings, Tenant

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC).timestamp()


# --- the log ------------------------------------------------------------------------------------------------------------
def a_message(number: str, index: int = 1, text: str = "Hello", **more) -> SandboxMessage:
    order = SimpleNamespace(sender="SHOP", links=SimpleNamespace(track=True, shorten=True))
    return SandboxMessage(NOW, f"id-{index}", order, number, True, f"c{index}", text, **more)


def an_attempt(index: int, kind: str = "receipt") -> DeliveryAttempt:
    return DeliveryAttempt(
        at=NOW, correlation=f"c{index}", message_id=f"id-{index}", msisdn="+1", code="7500", status="Delivered", attempt=1,
        answer=200, kind=kind,
    )  # fmt: skip


def a_log(limit: int, gone: Callable[[SandboxMessage], object]) -> MessageLog:
    return MessageLog(Tenant(Settings(log_limit=limit), lambda: NOW, random.Random(1)), gone)


def lines(log: MessageLog) -> list[dict]:
    return [json.loads(line) for part in log.lines() for line in part.splitlines()]


def test_a_log_line_has_every_field():
    log = a_log(9, lambda _: None)
    log.add(a_message("+4471", segments=2))
    log.write(an_attempt(1))
    log.write(an_attempt(2, "inbound"))
    at = "2027-01-31T12:00:00.000Z"
    first = {
        "kind": "message",
        "at": at,
        "msisdn": "+4471",
        "correlationId": "c1",
        "messageId": "id-1",
        "from": "SHOP",
    }
    tried = {"at": at, "msisdn": "+1", "code": "7500", "status": "Delivered", "attempt": 1, "answer": 200}
    assert lines(log) == [
        first | {"text": "Hello", "segments": 2, "outcome": "delivered"},
        {"kind": "receipt", "correlationId": "c1", "messageId": "id-1"} | tried,
        {"kind": "inbound", "correlationId": "c2", "messageId": "id-2"} | tried,
    ]
    assert (log.messages, log.receipts) == (1, 1)


def test_the_oldest_messages_leave_a_full_log_and_everything_about_them():
    gone: list[str] = []
    log = a_log(2, lambda message: gone.append(message.message_id))
    log.add(a_message("+1", 1))
    log.write(an_attempt(1))
    log.add(a_message("+1", 2))
    assert (gone, lines(log)[0]["kind"]) == ([], "message")
    log.add(a_message("+2", 3))
    assert gone == ["id-1"]
    assert [phone.message_id for phone in log.phones["+1"]] == ["id-2"]
    assert list(log.ids) == ["id-2", "id-3"]
    log.add(a_message("+3", 4))
    assert gone == ["id-1", "id-2"]
    assert list(log.phones) == ["+2", "+3"], "a phone without messages is none"
    assert lines(log)[0] == {"kind": "dropped", "messages": 2, "receipts": 1}
    assert [line["messageId"] for line in lines(log)[1:]] == ["id-3", "id-4"]
    assert (log.messages, log.dropped_messages, log.dropped_receipts) == (4, 2, 1)


def test_of_two_messages_with_one_id_the_first_is_found_by_it_and_a_new_message_moves_its_phone_to_the_end():
    log = a_log(2, lambda _: None)
    first, second = a_message("+1", 1), a_message("+2", 1)
    log.add(first)
    log.add(second)
    assert log.ids["id-1"] is first
    log.add(a_message("+1", 3))
    assert list(log.phones) == ["+2", "+1"]
    assert list(log.ids) == ["id-3"], "its id went with it"
    assert first.text is second.text, "one object for one text"
    log.forget()
    assert (lines(log), log.phones, log.ids, log.messages) == ([], {}, {}, 0)


def test_a_long_log_is_read_in_parts_while_it_is_cut():
    log = a_log(3000, lambda _: None)
    for index in range(5000):
        log.add(a_message("+1", index))
    reading = log.lines()
    assert json.loads(next(reading)) == {"kind": "dropped", "messages": 2000, "receipts": 0}
    first = [json.loads(line)["messageId"] for line in next(reading).splitlines()]
    assert first == [f"id-{index}" for index in range(2000, 4000)]
    for index in range(5000, 6002):
        log.add(a_message("+1", index))
    assert len(log.entries) == 3000, "what was dropped is gone"
    rest = [json.loads(line)["messageId"] for part in reading for line in part.splitlines()]
    assert rest == [f"id-{index}" for index in range(4000, 5000)], "what was there when the reading began"
    now = lines(log)
    assert now[0] == {"kind": "dropped", "messages": 3002, "receipts": 0}
    assert [line["messageId"] for line in now[1:]] == [f"id-{index}" for index in range(3002, 6002)]


# --- the phones ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("accept", "page"),
    [
        ("text/html", True),
        ("text/html,application/json", True),
        ("text/html;q=0.9,application/json", False),
        ("text/html;q=0.9, application/json;q=0.9", True),
        ("application/json", False),
        ("*/*", False),
        ("", False),
        ("text/html;q=0", False),
        ("text/html;q=2", False),
        ("TEXT/HTML; level=1; q=0.5", True),
    ],
)
def test_who_gets_a_page(accept, page):
    assert handsets.wants_page(accept) == page


def wall(count: int, query: str = "", per_phone: int = 1) -> str:
    phones = {
        f"+447000{index:05d}": [a_message("+4470", at + 1, segments=1) for at in range(per_phone)]
        for index in range(count)
    }
    return handsets.as_page(phones, set(), query)


def test_a_page_has_two_hundred_phones_the_newest_first():
    page = wall(200)
    assert page.count("<h2>") == 200 and "Older phones" not in page and "Newer phones" not in page
    assert page.index("+44700000199") < page.index("+44700000000")
    page = wall(201)
    assert page.count("<h2>") == 200 and "+44700000000<" not in page
    assert '<a href="?page=2">Older phones</a>' in page and "Newer phones" not in page
    page = wall(201, "page=2")
    assert page.count("<h2>") == 1 and "+44700000000<" in page
    assert '<a href="?page=1">Newer phones</a>' in page and "Older phones" not in page
    assert "There are no phones on this page." in wall(200, "page=2")
    assert wall(1, "page=0").count("<h2>") == 1 == wall(1, "page=1234567").count("<h2>")


def test_a_page_says_how_many_and_whether_it_refreshes():
    assert "1 number was written to" in wall(1) and "2 numbers were written to" in wall(2)
    assert "No number was written to yet." in wall(0)
    refreshing = '<meta http-equiv="refresh" content="5">'
    assert refreshing in wall(1) and "Hold still" in wall(1)
    for query in ("still=1", "number=44", "page=2"):
        assert refreshing not in wall(300, query), query
    assert "Stands still." in wall(1, "still=1") and "All phones, newest first" not in wall(1, "still=1")
    assert "All phones, newest first" in wall(300, "page=2") and "All phones, newest first" in wall(
        1, "number=44"
    )
    assert wall(3, "number=(0)0002").count("<h2>") == 1
    assert "No number with &lt;x&gt; in it" in wall(3, "number=%3Cx%3E")
    assert 'href="?number=44&amp;page=2"' in wall(201, "number=44")


def test_a_phone_shows_its_last_five_messages():
    assert "earlier" not in wall(1, per_phone=5).split("<main>")[1]
    page = wall(1, per_phone=7)
    assert page.count("<article>") == 5 and "2 earlier" in page


def test_a_message_shows_its_parts_its_fate_and_only_links_that_lead_somewhere():
    message = a_message(
        "+1", text="<b> https://x.test/Abc123 https://x.test/zzz999", segments=2, status="Failed"
    )
    message.outcome = STOPPED["7101"]
    page = handsets.as_page({"+1": [message]}, {"/Abc123"}, "")
    assert (
        '<article class="lost">' in page
        and '<span class="bad">Failed</span> 2 parts · invalid-sender' in page
    )
    assert (
        '<a href="/Abc123" target="_blank" rel="noreferrer noopener">https://x.test/Abc123</a> https://x.test/zzz999'
        in page
    )
    assert "&lt;b&gt; <a" in page and "2027-01-31 12:00:00 UTC" in page
    plain = handsets.as_page({"+1": [a_message("+1", segments=1)]}, set(), "")
    assert '<article><p class="who">' in plain and '<span class="open">queued</span> 1 part</p>' in plain


def test_the_phones_as_json():
    async def whole() -> bytes:
        phones = {"+1": [a_message("+1", 1, segments=3)], "+2": [a_message("+2", 2, status="Delivered")]}
        return b"".join([part async for part in handsets.as_json(phones)])

    at = "2027-01-31T12:00:00.000Z"
    common = {"at": at, "from": "SHOP", "text": "Hello"}
    assert json.loads(asyncio.run(whole())) == {
        "+1": [common | {"segments": 3, "status": "queued", "messageId": "id-1", "correlationId": "c1"}],
        "+2": [common | {"segments": 0, "status": "Delivered", "messageId": "id-2", "correlationId": "c2"}],
    }
