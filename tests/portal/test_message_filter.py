"""Messages found by what is known of them: what the filter takes, who may look for the end of a number, and how far one press looks."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from sms.compliance import archive
from sms.compose.create import create
from sms.models import Actor, AuditEvent, Message, MessageState, Send, Sender, SenderKind, Service
from sms.sends.message_search import MessageSelection, select_messages
from sms.values.csv import armed
from tests.support.pages import text_of
from tests.support.past_sends import a_past_send, no_rest
from tests.support.people import Cast, a_cast
from tests.support.sends import a_send, an_order, numbers

pytestmark = pytest.mark.django_db
AT = "/s/shop/messages/"
NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)


@pytest.fixture
def cast() -> Cast:
    made = a_cast()
    a_send(made.other, 2)
    return made


def posted(message: Message, at: datetime = NOON, **fields) -> Message:
    fields = {"state": MessageState.DELIVERED, "attempt": 1, "posted_at": at} | fields
    Message.objects.filter(pk=message.pk).update(**fields)
    return message


def shown(page) -> set[int]:
    return {one.pk for one in page.context["rows"]}


def test_each_field_narrows_and_all_of_them_together(cast):
    other = Sender.objects.create(service=cast.service, address="NEWS", kind=SenderKind.ALPHANUMERIC)
    first, second, third = a_send(cast.service, 3).messages.all()
    (fourth,) = a_send(cast.service, sender=other).messages.all()
    posted(first), posted(second, state=MessageState.FAILED, code="7102")
    posted(fourth, state=MessageState.FAILED, code="7102")
    for asked, wanted in (
        ({}, {first, second, third, fourth}),
        ({"state": "failed"}, {second, fourth}),
        ({"code": "7102"}, {second, fourth}),
        ({"sender": other.pk}, {fourth}),
        ({"send": first.send_id}, {first, second, third}),
        ({"state": "failed", "code": "7102", "send": first.send_id}, {second}),
        ({"state": "expired"}, set()),
        ({"state": "failed", "before": fourth.pk}, {second}),
        ({"send": a_send(cast.other).pk}, set()),
    ):
        page = cast["auditor"].get(AT, asked)
        assert (page.status_code, shown(page)) == (200, {one.pk for one in wanted}), asked
    assert "No message fits all of that" in text_of(cast["auditor"].get(AT, {"state": "expired"}))


def test_days_are_those_of_the_service(cast):
    """Midnight in Tokyo is 15:00 UTC of the day before; whatever was made later is passed over."""
    cast.service.time_zone = "Asia/Tokyo"
    cast.service.save()
    old = a_send(cast.service, 2)
    Send.objects.filter(pk=old.pk).update(created_at=NOON)
    early, late = old.messages.all()
    (
        posted(early, datetime(2026, 3, 9, 14, 59, tzinfo=UTC)),
        posted(late, datetime(2026, 3, 9, 15, tzinfo=UTC)),
    )
    a_send(cast.service, 3)
    for asked, wanted in (
        ({"since": "2026-03-10"}, {late.pk}),
        ({"until": "2026-03-09"}, {early.pk}),
        ({"since": "2026-03-09", "until": "2026-03-10"}, {early.pk, late.pk}),
    ):
        assert shown(cast["composer"].get(AT, asked)) == wanted, asked
    page = cast["composer"].get(AT, {"since": "2026-03-10", "until": "2026-03-09"})
    assert (page.status_code, shown(page)) == (422, set())
    assert "This is before the day that the search begins with" in text_of(page)


def test_it_says_how_many_are_archived_where_days_may_hold_them(cast, state_folder):
    service = cast.service
    Service.objects.filter(pk=service.pk).update(keep_messages=10)
    archived = [one.pk for one in a_past_send(service, 3, days=15, ends=("delivered",)).messages.all()]
    (left,) = a_send(service).messages.all()
    posted(left)
    until = timezone.now().replace(hour=12) - timedelta(days=15)
    made = archive.make(service, [archived], posted_until=until, gone=archive.StripRule(), rest=no_rest)
    said = "archived and not in this list"
    assert said not in text_of(cast["auditor"].get(AT)), "they are in the ledger until they were moved"
    assert archive.move(made, rest=no_rest) == 3
    page = cast["auditor"].get(AT)
    assert f"3 messages posted until {until:%-d %b %Y} are {said}" in text_of(page) and shown(page) == {
        left.pk
    }
    assert f"3 messages posted until {until:%-d %b %Y}" in text_of(
        cast["auditor"].get(AT, {"state": "failed"})
    )
    later = (until + timedelta(days=2)).date()
    assert said not in text_of(cast["auditor"].get(AT, {"since": later}))
    assert said in text_of(cast["auditor"].get(AT, {"since": later - timedelta(days=4)}))
    assert said not in text_of(cast["foreigner"].get("/s/foreign/messages/"))


def test_only_those_who_may_see_numbers_look_for_how_one_ends(cast):
    _, second, _ = a_send(cast.service, 3).messages.all()
    for who in ("admin", "auditor"):
        assert shown(cast[who].get(AT, {"ends": "001"})) == {second.pk}
        assert shown(cast[who].get(AT, {"ends": second.msisdn[-4:], "send": second.send_id})) == {second.pk}
    Message.objects.filter(pk=second.pk).update(msisdn="hidden-001")  # its number is gone
    assert shown(cast["auditor"].get(AT, {"ends": "001"})) == set()
    page = cast["composer"].get(AT, {"ends": "001"})
    assert (page.status_code, shown(page)) == (422, set())
    assert 'name="ends"' not in cast["composer"].get(AT).text
    for odd in ("1", "12345", "%", "a1"):
        page = cast["auditor"].get(AT, {"ends": odd})
        assert (page.status_code, shown(page)) == (422, set()), odd
        assert "Give two to four digits" in text_of(page)


def test_what_the_filter_finds_leaves_as_a_file_and_the_audit_says_so(cast):
    first, second = a_send(cast.service, 2, name="=March").messages.all()
    posted(second, state=MessageState.FAILED, code="7102")
    for who in ("composer", "approver"):
        assert cast[who].post(f"{AT}export/", {"state": "failed"}).status_code == 403
    answer = cast["auditor"].post(f"{AT}export/", {"state": "failed", "ends": second.msisdn[-3:]})
    name = answer.headers["Content-Disposition"]
    lines = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert "messages-shop" in name and len(lines) == 1
    assert (lines[0]["message"], armed(lines[0]["number"])) == (str(second.pk), second.msisdn)
    assert (lines[0]["code"], lines[0]["send name"], lines[0]["posted"]) == (
        "7102",
        "'=March",
        "2026-03-09T12:00:00+00:00",
    )
    row = AuditEvent.objects.get(act="message.exported")
    assert row.details == {"selection": {"state": "failed", "ends": "given"}}
    everything = cast["admin"].post(f"{AT}export/")
    assert b"".join(everything).count(b"\n") == 3
    assert cast["admin"].post(f"{AT}export/", {"until": "yesterday"}).status_code == 302
    assert first.send.messages.count() == 2


def test_one_press_looks_so_far_and_the_next_one_further(cast):
    """However rare what is wanted is, the page comes; it says that there is more to look through, and nothing is missed or shown twice."""
    every = list(a_send(cast.service, 23).messages.all())
    wanted = {every[0].pk, every[1].pk, every[20].pk}
    Message.objects.filter(pk__in=wanted).update(state=MessageState.CANCELLED)
    found, before, presses = [], None, 0
    while True:
        part = select_messages(
            cast.service, MessageSelection(state="cancelled"), before=before, window=5, patience=0.0
        )
        found += [one.pk for one in part.messages]
        presses += 1
        if part.looked_to is None:
            break
        before = part.looked_to
    ids = every[-1].pk - Message.objects.earliest("pk").pk + 1  # also those of the other service
    assert (found, presses) == (sorted(wanted, reverse=True), -(-ids // 5))
    everything = select_messages(cast.service, MessageSelection(), window=5, patience=0.0)
    assert (len(everything.messages), everything.looked_to) == (23, None)


def test_a_filter_is_kept_under_a_name_without_how_a_number_ends(cast):
    asked = {"of": "messages", "name": "Refused", "query": "state=failed&ends=001&before=3&nothing=1"}
    cast["auditor"].post("/s/shop/filters/", asked)
    page = cast["auditor"].get(AT, {"state": "failed"})
    (chip,) = page.context["kept"].chips
    assert (chip.query, chip.current) == ("state=failed", True)


def test_the_story_of_a_message_says_through_what_it_was_asked_for(cast):
    composed = a_send(cast.service)
    by_program = create(
        an_order(cast.service, audience=numbers(1, start=7)), by=Actor("key", "1", "Till", "api")
    )
    for send, through in ((composed, "Through the website"), (by_program, "Through the API")):
        story = text_of(cast["auditor"].get(f"{AT}{send.messages.get().pk}/"))
        assert f"{through} · Row" in story
