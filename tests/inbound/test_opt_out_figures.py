"""Opt-outs to the figure: which SMS is one twice, which receipt is a refusal, and what each leaves behind."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from sms.inbound import optouts
from sms.inbound.clicks.agents import Agent, agent_of
from sms.inbound.clicks.networks import NetworkOwner, network_of
from sms.inbound.optouts import messages, provider
from sms.inbound.optouts.keywords import KeywordReading, read
from sms.ledger.state_machine import StateChange
from sms.models import AuditEvent, InboundMessage, OptOut
from tests.support.dispatching import back_in_time
from tests.support.provider import Provider
from tests.support.sends import BY, a_send, a_service

pytestmark = pytest.mark.django_db
NOW = datetime(2027, 3, 2, 9, 0, tzinfo=UTC)
PHONE = "+447710000000"


def an_sms(text: str = "Stop", *, tid: str = "", oa: str = "447710000000", da: str = "SHOP", **more) -> bytes:
    return json.dumps({"oa": oa, "da": da, "message": text, "tid": tid} | more).encode()


def take(service, raw: bytes, *, after: float = 0) -> bool:
    return messages.take(raw, service_id=service.pk, received_at=NOW + timedelta(seconds=after))


@pytest.mark.parametrize(
    ("after", "new"), [(0, False), (599, False), (600, False), (601, True), (5000, True)]
)
def test_the_same_words_without_an_id_are_a_repetition_for_ten_minutes(after, new):
    service = a_service()
    assert take(service, an_sms())
    assert take(service, an_sms(), after=after) == new
    assert InboundMessage.objects.count() == 1 + new


def test_the_same_words_after_others_are_meant_again():
    service = a_service()
    assert take(service, an_sms("Stop"))
    assert take(service, an_sms("Start"), after=10)
    assert take(service, an_sms("Stop"), after=20)
    assert OptOut.in_force(service.pk, [PHONE]) == {PHONE}


def test_an_id_makes_an_sms_one_whenever_it_comes():
    service = a_service()
    assert take(service, an_sms(tid="t-1"))
    assert not take(service, an_sms(tid="t-1"), after=86_400)
    assert take(service, an_sms(tid="t-2"))
    assert take(a_service(slug="other", name="Other"), an_sms(tid="t-1"))


def test_an_sms_is_stored_with_what_it_says_and_what_it_answers():
    service = a_service()
    send = a_send(service, 1)
    Provider().dispatch()
    other = a_send(service, 1)
    assert take(service, an_sms("Stop it please", tid="t-1"))
    one = InboundMessage.objects.get()
    assert (one.msisdn, one.address, one.text, one.meaning, one.sure, one.why, one.reason) == (
        PHONE, "SHOP", "Stop it please", "stop", one.sure, "", "",
    )  # fmt: skip
    assert (one.send_id, one.received_at) == (send.pk, NOW), "the newest that was posted"
    assert other.pk != send.pk
    refusal = OptOut.objects.get()
    assert (refusal.msisdn, refusal.source, refusal.evidence, refusal.send_id, refusal.inbound_id, refusal.at) == (
        PHONE, "inbound", "“Stop it please” by SMS to SHOP", send.pk, one.pk, NOW,
    )  # fmt: skip
    row = AuditEvent.objects.get(act="optout.added")
    assert (row.details, row.noun, row.noun_key) == (
        {"source": "inbound", "added": 1, "already": 0},
        "opt-out",
        str(refusal.pk),
    )


def test_a_start_lifts_and_a_late_word_does_not_overrule_a_newer_one():
    service = a_service()
    take(service, an_sms("Stop", tid="1"))
    take(service, an_sms("Start", tid="2"), after=10)
    one = OptOut.objects.get()
    assert (one.lifted_at, one.lifted_because) == (
        NOW + timedelta(seconds=10),
        "Asked for messages again by SMS.",
    )
    take(service, an_sms("Stop please", tid="3"), after=5)
    assert OptOut.in_force(service.pk, [PHONE]) == set()
    take(service, an_sms("Stop now", tid="4"), after=10)
    assert OptOut.in_force(service.pk, [PHONE]) == {PHONE}, "of the same moment, the refusal"


def test_a_refusal_from_before_a_person_lifted_it_changes_nothing():
    service = a_service()
    optouts.opt_out(service.pk, [optouts.Refusal(PHONE)], by=BY, source="page", now=NOW)
    optouts.opt_in(service.pk, [PHONE], by=BY, reason="By phone.", now=NOW + timedelta(seconds=60))
    take(service, an_sms("Stop", tid="1"), after=59)
    assert OptOut.in_force(service.pk, [PHONE]) == set()
    take(service, an_sms("Stop", tid="2"), after=60)
    assert OptOut.in_force(service.pk, [PHONE]) == {PHONE}


@pytest.mark.parametrize("oa", ["SHOP", "12", "0447710000000", "44771000000012345"])
def test_an_sms_from_no_phone_is_kept_and_can_be_tried_again(oa):
    service = a_service()
    assert take(service, an_sms(oa=oa))
    one = InboundMessage.objects.get()
    assert (one.why, one.msisdn) == ("unreadable", "")
    assert one.reason
    assert not messages.retry(one)
    InboundMessage.objects.update(raw=an_sms())
    assert messages.retry(one)
    one.refresh_from_db()
    assert (one.why, one.reason, one.msisdn) == ("", "", PHONE)
    assert OptOut.in_force(service.pk, [PHONE]) == {PHONE}


# --- refusals in receipts -----------------------------------------------------------------------------------------------
def failed(message, code: str = "7720", *, at: datetime = NOW, attempt: int = 1) -> StateChange:
    return StateChange(message.pk, "failed", at, attempt, code)


@pytest.mark.parametrize(
    ("code", "refuses"),
    [("7109", True), ("7720", True), ("9002", True), ("20002", True), ("9010", False), ("7203", False)],
)
def test_which_codes_are_a_refusal(code, refuses):
    service = a_service()
    send = a_send(service, 1)
    Provider().dispatch()
    message = send.messages.get()
    assert provider.learn([failed(message, code)]) == int(refuses)
    for one in OptOut.objects.all():
        assert (one.msisdn, one.source, one.send_id, one.by) == (
            PHONE,
            "provider",
            send.pk,
            provider.BY.label,
        )
        assert one.evidence.startswith(f"Receipt with code {code}: ")
    assert OptOut.objects.count() == refuses
    assert provider.learn([failed(message, code)]) == 0


@pytest.mark.parametrize(("attempt", "counts"), [(0, True), (1, True), (2, False)])
def test_a_refusal_of_an_attempt_that_was_never_made_is_none(attempt, counts):
    send = a_send(a_service(), 1)
    Provider().dispatch()
    assert provider.learn([failed(send.messages.get(), attempt=attempt)]) == int(counts)


@pytest.mark.parametrize(("after", "counts"), [(-1, False), (0, False), (1, True)])
def test_a_refusal_from_before_it_was_lifted_is_none(after, counts):
    service = a_service()
    send = a_send(service, 1)
    Provider().dispatch()
    optouts.opt_out(service.pk, [optouts.Refusal(PHONE)], by=BY, source="page", now=NOW - timedelta(days=2))
    optouts.opt_in(service.pk, [PHONE], by=BY, reason="x", now=NOW - timedelta(days=1))
    optouts.opt_out(service.pk, [optouts.Refusal(PHONE)], by=BY, source="page", now=NOW - timedelta(hours=9))
    optouts.opt_in(service.pk, [PHONE], by=BY, reason="x", now=NOW)
    back_in_time(send, timedelta(0))
    assert provider.learn([failed(send.messages.get(), at=NOW + timedelta(seconds=after))]) == int(counts)


def test_acts_say_how_many_and_keep_the_first_of_a_number():
    service = a_service()
    refusals = [
        optouts.Refusal(PHONE, "first"),
        optouts.Refusal(PHONE, "second"),
        optouts.Refusal("+447710000001", "e" * 301),
    ]
    assert optouts.opt_out(service.pk, refusals, by=BY, source="csv", now=NOW) == {PHONE, "+447710000001"}
    rows = {one.msisdn: one for one in OptOut.objects.all()}
    assert rows[PHONE].evidence == "first" and rows["+447710000001"].evidence == "e" * 300
    assert {(one.by, one.at, one.source) for one in rows.values()} == {(BY.label, NOW, "csv")}
    row = AuditEvent.objects.get(act="optout.added")
    assert (row.details, row.noun_key, row.service_slug) == (
        {"source": "csv", "added": 2, "already": 0},
        "",
        service.slug,
    )
    assert optouts.opt_in(service.pk, [PHONE, "+447710000009"], by=BY, reason="r" * 151, now=NOW) == 1
    lifted = AuditEvent.objects.get(act="optout.lifted")
    assert (lifted.details, lifted.noun_key) == ({"lifted": 1}, str(rows[PHONE].pk))
    rows[PHONE].refresh_from_db()
    assert (rows[PHONE].lifted_at, rows[PHONE].lifted_by, rows[PHONE].lifted_because) == (
        NOW,
        BY.label,
        "r" * 150,
    )
    assert optouts.opt_out(service.pk, [optouts.Refusal("+447710000001")], by=BY, source="csv") == set()
    assert AuditEvent.objects.filter(act="optout.added").count() == 1, "nothing new, no row"


# --- reading ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("Stop", ("stop", True, "stop")),
        ("stop please", ("stop", True, "stop")),
        ("🛑 ✋", ("stop", False, "🛑")),
        ("s.t.o.p", ("stop", True, "stop")),
        ("help stop", ("stop", False, "stop")),
        ("start stop", ("stop", False, "stop")),
        ("Reply STOP to opt out", ("stop", False, None)),
        ("STOP I never signed up", ("stop", False, "stop")),
        ("stop by at five", ("", True, "")),
        ("do not unsubscribe me please", ("", True, "")),
        ("help", ("help", True, "help")),
        ("START", ("start", True, "start")),
        ("x" * 1997 + " stop", ("", True, "")),
        ("请帮我退订谢谢", ("stop", False, None)),
        ("", ("", True, "")),
    ],
)
def test_a_reading_with_its_word(text, reading):
    meaning, sure, word = reading
    found = read(text)
    assert (found.meaning, found.sure) == (meaning, sure)
    if word is not None:
        assert found == KeywordReading(meaning, sure, word)
    else:
        assert found.word


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        ("", Agent.MISSING),
        ("  - ", Agent.MISSING),
        ("NULL", Agent.MISSING),
        ("Mozilla/5.0", Agent.BARE),
        ("Mozilla/5.0 x", Agent.UNKNOWN),
        ("Nokia6230", Agent.PHONE),
        ("x Nokia6230", Agent.UNKNOWN),
        ("Opera Mini/8", Agent.PHONE),
        ("Mozilla/5.0 (iPhone) ", Agent.INCOMPLETE),
        ("Mozilla/5.0 (iPhone) AppleWebKit/605", Agent.PHONE),
        ("Mozilla/5.0 (Windows NT 10.0) Gecko/2010 Firefox/130.0", Agent.DESKTOP),
        ("Mozilla/5.0 (Windows NT 6.0) Gecko/2010", Agent.OUTDATED),
        ("Mozilla/5.0 (Macintosh) AppleWebKit/605", Agent.MAC),
        ("Mozilla/5.0 (Macintosh) AppleWebKit/605 Chrome/49.0", Agent.OUTDATED),
        ("curl/8.5", Agent.TOOL),
        ("x" * 1000 + "iPhone AppleWebKit/", Agent.UNKNOWN),
        ("x" * 980 + "iPhone AppleWebKit/", Agent.PHONE),
    ],
)
def test_an_agent(agent, kind):
    assert agent_of(agent) is kind


@pytest.mark.parametrize(
    ("address", "owner"),
    [
        ("66.249.64.0", NetworkOwner.CRAWLER),
        ("66.249.95.255", NetworkOwner.CRAWLER),
        ("66.249.96.0", NetworkOwner.OTHER),
        ("66.249.63.255", NetworkOwner.OTHER),
        ("::ffff:66.249.64.1", NetworkOwner.CRAWLER),
        ("2a03:2880::1", NetworkOwner.CRAWLER),
        ("2a03:2881::1", NetworkOwner.OTHER),
        ("::1", NetworkOwner.OTHER),
        ("0.0.0.0", NetworkOwner.OTHER),
        ("nonsense", NetworkOwner.OTHER),
        ("", NetworkOwner.OTHER),
        ("150.70.0.1", NetworkOwner.SCANNER),
        ("5.9.0.1", NetworkOwner.HOSTING),
    ],
)
def test_a_network(address, owner):
    assert network_of(address) is owner
