"""The page of one person: everything to and from one number, newest first, without the number in its address."""

import re

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from sms.compliance import disclosure, erasure
from sms.inbound import optouts
from sms.models import (
    AuditEvent,
    Conversation,
    Draft,
    Erasure,
    InboundMessage,
    Message,
    OptOut,
    Reject,
    Sender,
)
from sms.sends.person.identity import key_of
from sms.values.msisdn.hidden import hidden
from tests.support.people import Cast, a_cast
from tests.support.sends import BY, a_send

pytestmark = pytest.mark.django_db
NUMBER = "+447710000000"  # of the first row of `a_send`


@pytest.fixture
def cast() -> Cast:
    return a_cast()


def page_of(number: str, service) -> str:
    return f"/s/{service.slug}/people/{key_of(service, number)}/"


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def a_reply(service, text: str, number: str = NUMBER, *, at, **fields) -> InboundMessage:
    count = InboundMessage.objects.count()
    kept = {"dedupe": b"%016d" % count, "raw": b"{}", "received_at": at} | fields
    return InboundMessage.objects.create(service=service, msisdn=number, text=text, **kept)


def test_everything_to_and_from_a_number_stands_on_one_page_newest_first(cast):
    sends = [a_send(cast.service, name=f"Send {at}") for at in range(3)]
    a_send(cast.other, name="Foreign")
    a_reply(cast.service, "Thank you", at=sends[1].created_at)
    optouts.opt_out(
        cast.service.pk, [optouts.Refusal(NUMBER, "Asked us on the phone")], by=BY, source=OptOut.Source.PAGE
    )
    optouts.opt_in(cast.service.pk, [NUMBER], by=BY, reason="Came back")
    page = cast["approver"].get(page_of(NUMBER, cast.service))
    said = text_of(page)
    order = ["Came back", "Asked us on the phone", "Send 2", "Thank you", "Send 0"]
    assert [said.index(one) for one in order] == sorted(said.index(one) for one in order)
    assert "Foreign" not in said and NUMBER not in page.content.decode()
    for url in ("/s/shop/messages/", f"/s/shop/messages/{sends[0].messages.get().pk}/", "/s/shop/opt-outs/"):
        assert f'href="{page_of(NUMBER, cast.service)}"' in cast["approver"].get(url).content.decode(), url


def test_pages_follow_each_other_without_a_gap(cast, monkeypatch):
    monkeypatch.setattr("portal.views.recipient.ENTRIES", 4)
    for at in range(9):
        send = a_send(cast.service, name=f"Send {at}")
        a_reply(cast.service, f"Reply {at}", at=send.created_at)
    url, seen = page_of(NUMBER, cast.service), []
    following: str | None = url
    while following:
        page = cast["approver"].get(following).content.decode()
        seen += re.findall(r"(?:Send|Reply) \d(?!\d)", page)
        older = re.search(r'href="(\?before=[\d-]+)"', page)
        following = url + older[1] if older else None
    assert sorted(set(seen)) == sorted(f"{kind} {at}" for kind in ("Reply", "Send") for at in range(9))
    assert len(seen) == len(set(seen))


def test_a_number_has_one_page_however_it_is_spelled_and_its_digest_has_one_too(cast):
    service = cast.service
    assert key_of(service, "+5491123456789") == key_of(service, "+541123456789")
    assert key_of(service, "#erased") == key_of(service, "") == key_of(service, "no number") == ""
    message = a_send(service, name="Long ago").messages.get()
    digest = hidden(NUMBER, key=service.number_key)
    Message.objects.filter(pk=message.pk).update(msisdn=digest)
    assert "Long ago" in text_of(cast["approver"].get(page_of(NUMBER, service)))
    assert "Long ago" in text_of(cast["approver"].get(page_of(digest, service)))
    assert cast["approver"].get(f"/s/shop/people/{key_of(cast.other, NUMBER)}/").status_code == 404
    assert cast["approver"].get("/s/shop/people/nonsense/").status_code == 404


def test_what_is_done_from_the_page_needs_no_number_in_an_address(cast):
    """Shown for a reason, opted out and in again, written to, sent again, given out; each acts on the number that the page keeps."""
    service, page = cast.service, page_of(NUMBER, cast.service)
    message = a_send(service, name="Offer").messages.get()
    digest = hidden(NUMBER, key=service.number_key)

    assert cast["composer"].get(f"{page}number/").status_code == 403
    assert cast["auditor"].post(f"{page}number/", {"reason": ""}).status_code == 422
    assert NUMBER in text_of(cast["auditor"].post(f"{page}number/", {"reason": f"to call {NUMBER}"}))
    shown = AuditEvent.objects.get(act="person.revealed")
    assert (shown.noun_key, "•••" in shown.details["reason"]) == (digest, True)

    assert cast["approver"].post(f"{page}opt-out/", {"evidence": "Called"}).status_code == 403
    assert cast["composer"].post(f"{page}opt-out/", {"evidence": ""}).status_code == 422
    cast["composer"].post(f"{page}opt-out/", {"evidence": "Called us"})
    refusal = OptOut.objects.get(msisdn=NUMBER, lifted_at=None)
    assert f"/s/shop/opt-outs/{refusal.pk}/lift/" in cast["admin"].get(page).content.decode()
    cast["admin"].post(f"/s/shop/opt-outs/{refusal.pk}/lift/", {"reason": "Came back"})
    assert "This person opted out" not in text_of(cast["admin"].get(page))

    opened = cast["composer"].post(f"{page}write/")
    assert opened.status_code == 302 and Draft.objects.get().text == ""
    cast["composer"].post(f"/s/shop/messages/{message.pk}/send-again/")
    again = Draft.objects.latest("pk")
    assert (again.text, again.sender) == ("Hello", message.send.sender)
    assert bytes(again.upload.content).decode().split() == ["number", NUMBER]
    drafted = cast["composer"].get(f"/s/shop/drafts/{again.pk}/")
    assert NUMBER not in drafted.content.decode() and "1 recipient" in text_of(drafted)
    type(message).objects.filter(pk=message.pk).update(text=f"We call you at {NUMBER}.")
    opened = cast["composer"].post(f"/s/shop/messages/{message.pk}/send-again/", follow=True)
    assert NUMBER not in opened.content.decode() and Draft.objects.latest("pk").text == ""
    assert "The text says the number of this person" in text_of(opened)

    asked = f"/s/shop/settings/personal-data/?person={key_of(service, NUMBER)}"
    assert NUMBER not in cast["admin"].get(asked).content.decode()
    of_person = {"person": key_of(service, NUMBER), "disclose-reason": "Request 7"}
    given = cast["admin"].post("/s/shop/settings/personal-data/disclose/", of_person)
    assert given["Content-Type"] == "application/zip"
    cast["admin"].post(
        "/s/shop/settings/personal-data/erase/",
        {"person": of_person["person"], "erase-reason": "Request 8", "erase-sure": "on"},
    )
    assert Erasure.objects.get().number == NUMBER
    said = text_of(cast["auditor"].get(page))
    acts = ["Erasure was asked for", "Everything about a number given out", "Whole number of a person shown"]
    assert [said.index(one) for one in acts] == sorted(said.index(one) for one in acts)
    assert "given out" not in text_of(cast["composer"].get(page))


def links_of(response) -> set[str]:
    return set(re.findall(r'(?:href|action)="(/s/[^"]+)"', response.content.decode()))


def test_from_here_leads_to_every_act_for_those_who_may_and_for_nobody_else(cast):
    service, page = cast.service, page_of(NUMBER, cast.service)
    message = a_send(service, name="Offer").messages.get()
    talks = [
        Conversation.objects.create(
            service=service, msisdn=NUMBER, address=to, last_at=message.send.created_at, last_inbound_id=at
        )
        for at, to in enumerate(("72345", "447860012345"), 1)
    ]
    for talk in talks:
        a_reply(service, "Hello?", at=message.send.created_at, conversation=talk, address=talk.address)
    answers = {f"/s/shop/replies/{talk.pk}/#answer" for talk in talks}
    again = f"/s/shop/messages/{message.pk}/send-again/"
    data = f"/s/shop/settings/personal-data/?person={key_of(service, NUMBER)}"
    writing = {*answers, again, f"{page}write/", f"{page}opt-out/"}
    acts = writing | {f"{page}number/", data}
    offered = {
        "composer": writing,
        "approver": set(),
        "auditor": {f"{page}number/"},
        "admin": acts,
    }
    for role, wanted in offered.items():
        found = links_of(cast[role].get(page))
        assert found & acts == wanted, role
        assert {f"/s/shop/replies/{talk.pk}/" for talk in talks} <= found, role
        for link in wanted & {*answers, f"{page}number/", data}:
            assert cast[role].get(link.partition("#")[0]).status_code == 200, (role, link)
    for talk in talks:
        assert 'id="answer"' in cast["composer"].get(f"/s/shop/replies/{talk.pk}/").content.decode()
    tested = cast["composer"].post(again, {"test": "1"})
    assert tested["Location"] == f"/s/shop/drafts/{Draft.objects.get().pk}/test/"
    assert NUMBER not in cast["composer"].get(tested["Location"]).content.decode()

    optouts.opt_out(service.pk, [optouts.Refusal(NUMBER)], by=BY, source=OptOut.Source.PAGE)
    lift = f"/s/shop/opt-outs/{OptOut.objects.get().pk}/lift/"
    long_ago = f"{page}?before=1-1000000-1"
    for where in (page, long_ago):
        assert links_of(cast["composer"].get(where)) & {*writing, lift} == set(), where
        assert links_of(cast["admin"].get(where)) & {*acts, lift} == {f"{page}number/", data, lift}, where


def test_whoever_looked_at_the_number_stands_on_the_page_wherever_they_did(cast):
    service, page = cast.service, page_of(NUMBER, cast.service)
    message = a_send(service).messages.get()
    cast["auditor"].post(f"/s/shop/messages/{message.pk}/number/", {"reason": "They called"})
    cast["admin"].post(f"{page}number/", {"reason": "They called again"})
    said = text_of(cast["auditor"].get(page))
    assert said.index("Whole number of a person shown") < said.index("Whole number of a message shown")
    assert said.count("auditor@example.test") > 0
    assert "number of a" not in text_of(cast["composer"].get(page))
    assert AuditEvent.objects.get(act="message.revealed").details["message"] == message.pk


def test_our_own_senders_stay_readable_in_what_was_written_and_people_do_not(cast):
    service = cast.service
    Sender.objects.create(service=service, address="447860012345", kind="long_code")
    a_send(service)
    evidence = f"“STOP, I am {NUMBER} and not 07700 900123” by SMS to 447860012345"
    optouts.opt_out(service.pk, [optouts.Refusal(NUMBER, evidence)], by=BY, source=OptOut.Source.INBOUND)
    lift = f"/s/shop/opt-outs/{OptOut.objects.get().pk}/lift/"
    for url in (page_of(NUMBER, service), "/s/shop/opt-outs/", lift):
        said = text_of(cast["admin"].get(url))
        assert "by SMS to 447860012345" in said, url
        assert NUMBER not in said and "900123" not in said, url


def test_a_full_page_takes_few_queries_and_reads_no_table_as_a_whole(cast):
    service = cast.service
    for at in range(3):
        send = a_send(service, 3, name=f"Send {at}")
        a_reply(service, "Yes", at=send.created_at, send=send, message_id=send.messages.first().pk)
        Reject.objects.create(send=send, row=9, value=NUMBER, code="duplicate", reason="Twice.")
    optouts.opt_out(service.pk, [optouts.Refusal(NUMBER, "x")], by=BY, source=OptOut.Source.PAGE)
    erasure.ask(service, NUMBER, reason="Request 1", by=BY)
    disclosure.disclose(service, NUMBER, reason="Request 2", by=BY)
    page = page_of(NUMBER, service)
    for role in ("admin", "approver"):
        cast[role].get(page)
        with CaptureQueriesContext(connection) as queries:
            assert cast[role].get(page).status_code == 200
        assert len(queries) <= 15, [one["sql"] for one in queries]
    big = re.compile(r"Seq Scan on sms_|SCAN (?:sms_\w+|\w\d)(?! USING)")
    wanted = ("sms_message", "sms_inboundmessage", "sms_receipt", "sms_click")
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        for one in queries:
            if any(f'FROM "{table}"' in one["sql"] for table in wanted):
                how = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
                cursor.execute(f"{how} {one['sql']}")
                plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
                assert not big.search(plan), plan
