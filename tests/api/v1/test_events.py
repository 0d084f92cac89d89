"""The event log at its doors: every type with what it says, who sees which, cursors, and nothing twice, whatever comes twice."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sms.callbacks import feed
from sms.inbound import optouts, receipts
from sms.models import ApiKey, Event, Send
from sms.models.event_types import EVENT_TYPES
from sms.sends import answers, control, holds
from sms.sends.cancel import cancel
from tests.support import drop_in
from tests.support.approvals import a_careful_service, a_person, acting, request_of
from tests.support.callbacks import an_endpoint, comes_in, told, with_notify
from tests.support.partners import Partner, a_key, a_partner, a_partner_service
from tests.support.provider import Provider, refused
from tests.support.sends import BY, a_send, a_service

pytestmark = pytest.mark.django_db
EVERYTHING = ("read", "send", "texts", "numbers", "optouts", "all")
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1"
STOP = {"oa": "447700900001", "da": "447700900000", "message": "Stop please", "channel": "SMS"}


def read(partner: Partner, query: str = "") -> list[dict]:
    answer = partner.get(f"events?limit=1000{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()["items"]


def types(partner: Partner, query: str = "") -> list[str]:
    return [one["type"] for one in read(partner, query)]


def asked(partner: Partner, *numbers: str | dict, key: str = "k", **changes) -> int:
    body = {"text": "Hello", "recipients": list(numbers or ["+447700900001"])} | changes
    answer = partner.post("sends", body, Idempotency_Key=key)
    assert answer.status_code == 201, answer.content
    return answer.json()["id"]


def writes(service, text: str, number: str = "447700900001", **changes) -> None:
    raw = STOP | {"message": text, "oa": number} | changes
    optouts.take(json.dumps(raw).encode(), service_id=service.pk, received_at=timezone.now())


def test_a_message_is_told_of_step_by_step_with_all_that_its_request_called_it():
    _service, partner = a_partner(*EVERYTHING)
    send_id = asked(partner, "+447700900001", "12", client_reference="order-1", callback_data="box=7")
    Provider().dispatch()
    message = Send.objects.get(pk=send_id).messages.get()
    for code, status in (("7501", "Submitted"), ("7500", "Delivered"), ("7500", "Delivered")):
        comes_in(message, code=code, status=status)
        receipts.fold()
    by_type = {one["type"]: one for one in read(partner)}
    assert {"message.rejected", "message.queued", "message.submitted", "message.delivered"} <= set(by_type)
    last = by_type["message.delivered"]
    assert last["timestamp"] == "2026-03-02T09:15:07.412Z" and last["test"] is False
    assert tuple(last["data"]) == EVENT_TYPES["message.delivered"].fields
    assert last["data"] | {"segments_billed": 1} == {
        "message": message.pk,
        "send": send_id,
        "service": "shop",
        "row": 1,
        "number": "+447700900001",
        "reference": None,
        "client_reference": "order-1",
        "correlation_id": None,
        "callback_data": "box=7",
        "state": "delivered",
        "code": "7500",
        "detail": "Delivered; the handset confirmed it.",
        "provider_id": message.provider_id or last["data"]["provider_id"],
        "attempt": 1,
        "segments_billed": 1,
    }
    bad = by_type["message.rejected"]["data"]
    assert (bad["row"], bad["number"], bad["code"], bad["callback_data"]) == (
        2,
        "12",
        "too_short",
        "box=7",
    )
    assert Event.objects.filter(type="message.delivered").count() == 1
    ApiKey.objects.update(scopes=["read", "all"])
    masked = {one["type"]: one["data"]["number"] for one in read(partner) if "number" in one["data"]}
    assert masked["message.delivered"] == "+44 7700 ••• 001" and masked["message.rejected"] == "•••"


def test_a_row_that_was_refused_is_told_of_by_the_names_that_the_request_gave_it():
    service, partner = a_partner(*EVERYTHING)
    optouts.opt_out(service.pk, [optouts.Refusal("+447700900005")], by=BY, source="page")
    numbers = ("+447700900001", "12", "+447700900001", "+447700900005")
    rows = [
        {"number": number, "reference": f"r{row}", "correlation_id": f"c{row}"}
        for row, number in enumerate(numbers, start=1)
    ]
    asked(partner, *rows)
    said = [one["data"] for one in read(partner, "&types=message.rejected")]
    assert {(one["code"], one["row"], one["reference"], one["correlation_id"]) for one in said} == {
        ("too_short", 2, "r2", "c2"),
        ("duplicate", 3, "r3", "c3"),
        ("opted_out", 4, "r4", "c4"),
    }


def test_what_a_v2_request_called_its_messages_is_there_whoever_shares_its_batch():
    service, partner = a_partner(*EVERYTHING)
    an_endpoint(service, full_numbers=True)
    alone = drop_in.post(partner.token, drop_in.body(callbackData="of-1"))
    Provider().dispatch()
    with_notify(a_send(service, 2))
    plain = drop_in.post(partner.token, drop_in.body("447700900005", "447700900006", callbackData="of-2"))
    assert (alone.status_code, plain.status_code) == (201, 201), plain.content
    a_send(service)
    Provider().dispatch()
    for send in Send.objects.all():
        for message in send.messages.all():
            comes_in(message)
    receipts.fold()
    said = [one["data"] for one in read(partner) if one["type"] in ("message.queued", "message.delivered")]
    named = [(one["correlation_id"], one["callback_data"]) for one in said]
    expected = [
        ("c0", "of-1"),
        ("c0", "of-2"),
        ("c1", "of-2"),
        ("theirs-0", "order=981"),
        ("theirs-1", "order=981"),
    ]
    assert sorted(named, key=str) == sorted([*expected, (None, None)] * 2, key=str)
    posted = [one for one in told("message.") if "type" in one]
    assert sorted(posted, key=lambda one: one["id"]) == sorted(
        read(partner, "&types=message.queued,message.delivered"), key=lambda one: one["id"]
    )


def test_replies_and_refusals_are_told_of_to_those_who_wrote_to_the_person():
    service, everything = a_partner(*EVERYTHING)
    shop, other = (Partner(a_key(service, name=name, scopes=["read", "send"])) for name in ("A", "B"))
    ada = {"number": "+447700900001", "reference": "ada", "correlation_id": "c-1"}
    send_id = asked(shop, ada, client_reference="order-1")
    asked(other, "+447700900002", key="k2")
    Provider().dispatch()
    writes(service, "Thank you, call me on 07700 900123")
    writes(service, "STOP", number="447700900001", da="447700900001")
    writes(service, "Hello?", number="447700900099")
    optouts.opt_in(service.pk, ["+447700900001"], by=BY, reason="Asked for it.")
    optouts.opt_out(service.pk, [optouts.Refusal("+447700900002")], by=BY, source="page")
    mine = [one for one in read(shop) if not one["type"].startswith(("message", "send"))]
    assert sorted(one["type"] for one in mine) == ["inbound.received"] * 2 + [
        "opt_out.added",
        "opt_out.lifted",
    ]
    message_id = Send.objects.get(pk=send_id).messages.get().pk
    for one in mine:
        assert tuple(one["data"]) == EVENT_TYPES[one["type"]].fields
        assert (one["data"]["send"], one["data"]["message"], one["data"]["client_reference"]) == (
            send_id,
            message_id,
            "order-1",
        )
        named = [one["data"][name] for name in ("row", "reference", "correlation_id")]
        assert named == [1, "ada", "c-1"]
        assert one["data"]["number"] == "+44 7700 ••• 001" and one["data"].get("text") is None
    assert [one["data"]["keyword"] for one in mine if "keyword" in one["data"]] == [None, "stop"]
    assert types(other, "&types=opt_out.added") == ["opt_out.added"]
    whole = [one["data"] for one in read(everything, "&types=inbound.received")]
    assert [(one["number"], one["text"], one["send"]) for one in whole][0::2] == [
        ("+447700900001", "Thank you, call me on 07700 900123", send_id),
        ("+447700900099", "Hello?", None),
    ]
    ApiKey.objects.filter(name="A").update(scopes=["read", "texts"])
    assert "900123" not in json.dumps(read(shop)) and "Thank you" in json.dumps(read(shop))
    listed = everything.get("inbound?keyword=stop").json()["items"]
    assert [(one["number"], one["send"], one["message"]) for one in listed] == [
        ("+447700900001", send_id, message_id)
    ]
    assert len(shop.get("inbound").json()["items"]) == 2 and not other.get("inbound").json()["items"]


def test_what_a_partner_calls_people_tells_no_number_to_who_may_see_none():
    """In events as in the lists: their own, another recipient's, and one that could not be read, however it is written."""
    _service, partner = a_partner("read", "send", "all")
    mine, other, bad = "+447700900001", "+447700900002", "07700 900 12"
    people = [
        {"number": mine, "reference": "447700900002", "correlation_id": "x 07700 900001"},
        {"number": other, "reference": "order 20261201123456"},
        {"number": bad, "reference": "0770090012"},
    ]
    body = {"text": "Hi", "recipients": people, "callback_data": "to=447700900002"}
    send_id = partner.post("sends", body, Idempotency_Key="k").json()["id"]
    Provider().dispatch()
    told = [one["data"] for one in read(partner, f"&send={send_id}") if "row" in one["data"]]
    listed = [partner.get(f"sends/{send_id}/{kind}").json()["items"] for kind in ("messages", "rejects")]
    assert {one["row"] for one in told} == {1, 2, 3}
    for one in told:
        (shown,) = [row for row in listed[one["row"] == 3] if row["row"] == one["row"]]
        assert (one["reference"], one.get("correlation_id")) == (
            shown["reference"],
            shown.get("correlation_id"),
        )
        assert one["row"] == 3 or one["callback_data"] == "to=447*******02"
    said = json.dumps(told)
    assert "20261201123456" in said and not any(one in said for one in ("900001", "900002", "0770090012"))


def test_clicks_say_who_it_was_and_why_we_think_so():
    service, partner = a_partner(*EVERYTHING)
    message = a_send(service).messages.get()
    Provider().dispatch()
    for ip in ("192.0.2.44", "192.0.2.44"):
        info = {"Description": f"https://shop.example/o/1?to=447700900123|{ip}", "additionalInfo": PHONE}
        comes_in(message, code="7528", status="Clicked", info=info)
    receipts.fold()
    (clicked,) = [one["data"] for one in read(partner, "&types=message.clicked")]
    assert tuple(clicked) == EVENT_TYPES["message.clicked"].fields
    click = message.clicks.get()
    assert (clicked["verdict"], clicked["verdict_code"]) == (
        click.verdict,
        click.reason,
    ) and click.rules_version
    assert (clicked["url"], clicked["number"]) == (click.url, message.msisdn)
    ApiKey.objects.update(scopes=["read", "texts", "all"])
    (masked,) = [one["data"] for one in read(partner, "&types=message.clicked")]
    assert masked["url"].startswith("https://shop.example/o/1?to=") and "447700900123" not in str(masked)
    ApiKey.objects.update(scopes=["read", "numbers", "all"])  # a link is part of what the message says
    (wordless,) = [one["data"] for one in read(partner, "&types=message.clicked")]
    assert wordless["url"] is None and wordless["verdict"] == clicked["verdict"]
    assert "shop.example" not in partner.get(f"messages/{message.pk}").content.decode()


def test_a_send_is_told_of_from_asking_to_its_end():
    service = a_careful_service(base_url="http://127.0.0.1:9")
    partner = Partner(a_key(service, scopes=list(EVERYTHING)))
    ada = a_person("ada", service)
    asked_for = {pk: request_of(Send.objects.get(pk=pk)) for pk in (asked(partner, key=key) for key in "ab")}
    (first, request), (second, other) = asked_for.items()
    answers.approve(request, by=acting(ada), seen=request.fingerprint)
    answers.reject(other, by=acting(ada), seen=other.fingerprint, comment="Wrong, ask 07700 900123.")
    send = Send.objects.get(pk=first)
    held = holds.hold(send, by=BY, because="To look at it.")
    control.pause_everything(service, by=BY, because="All of it.")
    holds.lift(held, by=BY)
    control.resume_service(service, by=BY)
    cancel(send, by=BY)
    of_first = [(one["type"], one["data"]["state"]) for one in read(partner, f"&send={first}")]
    assert [one for one in of_first if one[0].startswith("send")] == [
        ("send.awaiting", "awaiting"),
        ("send.approved", "sending"),
        ("send.held", "sending"),
        ("send.held", "sending"),
        ("send.resumed", "sending"),
        ("send.cancelled", "cancelled"),
    ]
    said = {one["type"]: one["data"] for one in read(partner, f"&send={second}")}
    assert {"send.awaiting", "send.refused", "send.cancelled"} <= set(said)
    assert said["send.refused"]["reason"] == "Wrong, ask 07700 900123."
    ApiKey.objects.update(scopes=["read", "all"])
    assert "900123" not in json.dumps(read(partner))
    for one in read(partner):
        assert tuple(one["data"]) == EVENT_TYPES[one["type"]].fields


def test_a_reader_goes_on_where_it_was_and_a_repeat_shows_nothing_new():
    service, partner = a_partner(*EVERYTHING)
    begins = partner.get("events?after=now").json()
    assert (begins["items"], begins["has_more"]) == ([], False)
    a_send(service, 7)
    Provider().dispatch()
    cursor, seen, more = begins["next_cursor"], [], True
    while more:
        page = partner.get(f"events?after={cursor}&limit=3").json()
        cursor, more = page["next_cursor"], page["has_more"]
        seen += [one["id"] for one in page["items"]]
    assert seen == [one["id"] for one in read(partner)] and len(set(seen)) == 8
    assert partner.get(f"events?after={cursor}&wait=30").json()["items"] == []
    two = a_send(service, 2, client_reference="order-2")
    Provider().dispatch()
    assert len(partner.get(f"events?after={cursor}").json()["items"]) == 3
    assert {one["data"]["send"] for one in read(partner, "&client_reference=order-2")} == {two.pk}
    message = two.messages.first().pk
    assert [one["data"]["message"] for one in read(partner, f"&message={message}")] == [message]
    assert read(partner, "&client_reference=other") == [] == read(partner, f"&send={two.pk}&message=1")


def test_a_cursor_that_went_on_in_another_copy_of_the_database_begins_anew():
    service, partner = a_partner(*EVERYTHING)
    a_send(service, 2)
    Provider().dispatch()
    here = partner.get("events").json()
    latest = Event.objects.latest("transaction_id", "pk")
    ahead = feed.Place(latest.transaction_id + 10**6, latest.pk + 10**6)
    cursor = feed.written(feed.FeedPage([], ahead, more=False), now=timezone.now())
    again = partner.get(f"events?after={cursor}").json()
    assert again["items"] == here["items"] != []
    assert partner.get(f"events?after={again['next_cursor']}").json()["items"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("after=x", "after"),
        ("after=AgAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAQ", "after"),
        ("types=message.sent", "types"),
        ("limit=1001", "limit"),
        ("wait=31", "wait"),
        ("send=0", "send"),
        ("since=2026-01-01", "since"),
    ],
)
def test_a_wrong_question_is_refused_by_name(query, field):
    _, partner = a_partner(*EVERYTHING)
    answer = partner.get(f"events?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field), answer.content


def test_a_rare_type_among_many_is_found_in_bounded_pages(monkeypatch):
    service, partner = a_partner(*EVERYTHING)
    monkeypatch.setattr(feed, "LOOKED_AT", 4)
    a_send(service, 9)
    Provider().dispatch()
    Provider(answer=lambda _: refused("7102"))
    optouts.opt_out(service.pk, [optouts.Refusal("+447710000003")], by=BY, source="page")
    cursor, seen, sizes = "", [], []
    for _ in range(9):
        page = partner.get(f"events?types=opt_out.added&after={cursor}").json()
        cursor, sizes = page["next_cursor"], [*sizes, len(page["items"])]
        seen += page["items"]
        if not page["has_more"]:
            break
    assert len(seen) == 1 and sizes == [0, 0, 1]


def test_a_key_without_all_sees_its_own_and_nothing_is_written_where_nobody_would_see_it():
    service = a_partner_service()
    a_send(service, 2)
    Provider().dispatch()
    assert not Event.objects.exists()  # people's, and nobody follows
    shop, other = (Partner(a_key(service, name=name, scopes=["read", "send"])) for name in ("A", "B"))
    asked(shop)
    a_send(service, 2)
    Provider().dispatch()
    assert types(shop) == ["message.queued", "send.posted"] and types(other) == []
    assert Event.objects.count() == 2
    a_key(service, name="C", scopes=["read", "all"])
    a_send(service, 2)
    with CaptureQueriesContext(connection) as queries:
        Provider().dispatch()
    assert Event.objects.filter(owner=None).count() == 3
    assert len([one for one in queries if "sms_apikey" in one["sql"]]) <= 3
    another = a_service(slug="other", name="Other")
    foreign = Partner(a_key(another, name="D", scopes=list(EVERYTHING)))
    assert types(foreign) == []


def test_events_go_after_thirty_days_and_an_old_cursor_says_so():
    service, partner = a_partner(*EVERYTHING)
    a_send(service, 3)
    Provider().dispatch()
    first = partner.get("events?limit=1").json()["next_cursor"]
    old = timezone.now() - timedelta(days=31)
    kept = Event.objects.latest("pk").pk
    Event.objects.exclude(pk=kept).update(created_at=old)
    assert (feed.forget(at_once=1), feed.forget(), feed.forget()) == (1, 2, 0)
    assert [one.pk for one in Event.objects.all()] == [kept]
    assert len(partner.get(f"events?after={first}").json()["items"]) == 1
    place = feed.read(first, service_id=service.pk, now=timezone.now())
    stale = feed.written(feed.FeedPage([], place, more=False), now=old)
    answer = partner.get(f"events?after={stale}")
    assert answer.status_code == 400 and "thirty days" in answer.json()["detail"]
