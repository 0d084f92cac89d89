"""The inbound endpoint: authentic, durable, exactly 200, and what the SMS asks for is true as soon as it is answered."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core.signals import request_started
from django.db import (
    DataError,
    IntegrityError,
    OperationalError,
    close_old_connections,
    connection,
    connections,
)
from django.test import Client, RequestFactory
from django.utils import timezone

from sms.dispatch.watch import broken_rules
from sms.inbound import optouts
from sms.models import AuditEvent, InboundMessage, OptOut, Sender, SenderKind
from tests.support.provider import Provider
from tests.support.sends import a_send, a_service
from tests.support.server_entry import ask

pytestmark = pytest.mark.django_db
PHONE = "+447710000000"


def sms(text: str = "STOP", **changes) -> bytes:
    body = {
        "Channel": "SMS",
        "oa": PHONE.lstrip("+"),
        "da": "SHOP",
        "message": text,
        "tid": "0044_1",
    } | changes
    return json.dumps(body).encode()


def post(service, raw: bytes, **headers):
    url = f"/inbound/{service.receipt_token}/"
    return Client().post(url, data=raw, content_type="application/json", headers=headers)


def failing(table: str, problem: Exception):
    """The database refuses what is written into one table."""

    def execute(run, sql, params, many, context):
        if sql.startswith("INSERT") and f'"{table}"' in sql.split("(")[0]:
            raise problem
        return run(sql, params, many, context)

    return execute


AWAY = failing("sms_inboundmessage", OperationalError("the server closed the connection"))


def test_head_answers_200_and_an_unknown_address_404():
    service = a_service()
    assert Client().head(f"/inbound/{service.receipt_token}/").status_code == 200
    assert Client().head("/inbound/nobody/").status_code == 404
    assert Client().post("/inbound/nobody/", data=sms(), content_type="application/json").status_code == 404
    assert Client().get(f"/inbound/{service.receipt_token}/").status_code == 405
    assert not InboundMessage.objects.exists()


def test_an_address_that_was_not_pasted_to_the_last_slash_takes_it_too():
    service = a_service()
    token = service.webhook_token
    for number, path in enumerate((f"/inbound/{token}", f"/%2finbound/{token}/", f"/%2finbound/{token}")):
        status, _, content = ask("POST", path, sms(tid=f"{number}"))
        assert (status, content) == (200, b""), path
    assert InboundMessage.objects.count() == 3


def test_a_stop_is_kept_raw_answered_200_and_counts_at_once():
    service = a_service()
    answer = post(service, sms("Stop!!"))
    assert (answer.status_code, answer.content) == (200, b"")
    message = InboundMessage.objects.get()
    assert bytes(message.raw) == sms("Stop!!")
    assert (message.msisdn, message.address, message.meaning, message.why) == (PHONE, "SHOP", "stop", "")
    out = OptOut.objects.get()
    assert (out.msisdn, out.source, out.inbound, out.lifted_at) == (PHONE, "inbound", message, None)
    assert out.evidence == "“Stop!!” by SMS to SHOP"


def test_the_next_send_leaves_the_number_out_and_one_under_way_does_too():
    service, provider = a_service(), Provider()
    under_way = a_send(service, 3)
    post(service, sms())
    provider.dispatch()
    assert PHONE.lstrip("+") not in provider.numbers
    assert under_way.counts() == {"queued": 2, "cancelled": 1}
    later = a_send(service, 3)
    assert (later.recipients, later.rejected) == (2, 1)
    assert later.rejects.get().code == "opted_out"


def test_the_same_sms_reported_twice_is_one_at_whatever_time():
    service = a_service()
    for stamp in ("2026-03-02T09:20:00Z", "2026-03-02T09:20:00Z", "2026-03-02T09:21:00Z"):
        assert post(service, sms(ts=stamp)).status_code == 200
    assert InboundMessage.objects.count() == OptOut.objects.count() == 1
    assert post(service, sms(tid="0044_2")).status_code == 200
    assert InboundMessage.objects.count() == 2
    assert OptOut.objects.count() == 1, "a second STOP adds nothing"


@pytest.mark.parametrize(
    "handset", ["07710 000000", "+44 7710 000000", "00447710000000", "tel:+447710000000", "44 (0)7710 000000"]
)
def test_the_handset_counts_in_whatever_form_it_is_written(handset):
    assert post(a_service(), sms(oa=handset)).status_code == 200
    assert (OptOut.objects.get().msisdn, InboundMessage.objects.get().why) == (PHONE, "")


@pytest.mark.parametrize("form", ["[%s,%s]", "%s%s", "%s\n%s", "%s,\n%s"])
def test_each_sms_of_a_body_in_which_several_were_joined_counts(form):
    service = a_service()
    both = form % (sms(oa="447710000001", tid="1").decode(), sms(oa="447710000002", tid="2").decode())
    for _ in range(2):
        assert post(service, both.encode()).status_code == 200
    assert sorted(OptOut.objects.values_list("msisdn", flat=True)) == ["+447710000001", "+447710000002"]
    assert InboundMessage.objects.filter(why="").count() == 2


def test_an_sms_beside_other_things_in_its_envelope_is_read():
    body = {"event": "inbound", "meta": {"version": 1}, "data": json.loads(sms())}
    post(a_service(), json.dumps(body).encode())
    assert OptOut.objects.get().msisdn == PHONE


@pytest.mark.parametrize("ours", ["SHOP", "72345", "+72345", "447860000001", "+447860000001"])
def test_a_swapped_sms_is_told_by_our_own_senders(ours):
    """The provider's table has `oa` and `da` the other way round than its samples."""
    service = a_service()
    Sender.objects.create(service=service, address="72345", kind=SenderKind.SHORT_CODE)
    Sender.objects.create(service=service, address="447860000001", kind=SenderKind.LONG_CODE)
    assert post(service, sms(oa=ours, da=PHONE.lstrip("+"))).status_code == 200
    message = InboundMessage.objects.get()
    assert (message.msisdn, message.address, message.why) == (PHONE, ours.lstrip("+"), "")
    assert OptOut.objects.get().msisdn == PHONE


def test_an_sms_between_two_of_our_numbers_or_to_none_of_them_stays_as_it_came():
    service = a_service()
    Sender.objects.create(service=service, address="447860000001", kind=SenderKind.LONG_CODE)
    Sender.objects.create(service=service, address="447860000002", kind=SenderKind.LONG_CODE)
    post(service, sms(oa="447860000001", da="447860000002", tid="1"))
    post(service, sms(oa=PHONE, da="447860000003", tid="2"))
    found = list(InboundMessage.objects.order_by("pk").values_list("msisdn", "address"))
    assert found == [("+447860000001", "447860000002"), (PHONE, "447860000003")]


def test_a_stop_beside_half_a_character_counts():
    service = a_service()
    raw = sms("STOP HERE").replace(b" HERE", rb" \ud83d")
    assert post(service, raw).status_code == 200
    assert InboundMessage.objects.get().text == "STOP \ufffd"
    assert OptOut.objects.get().msisdn == PHONE


def test_start_lifts_and_a_later_stop_counts_again():
    service = a_service()
    post(service, sms())
    post(service, sms("start", tid="2"))
    lifted = OptOut.objects.get()
    assert lifted.lifted_at is not None
    assert (lifted.lifted_by, lifted.lifted_because) == (
        "The person, by SMS",
        "Asked for messages again by SMS.",
    )
    assert a_send(service).recipients == 1
    post(service, sms(tid="3"))
    assert OptOut.objects.filter(lifted_at=None).count() == 1


def test_help_and_anything_else_are_recorded_and_change_nothing():
    service = a_service()
    post(service, sms("HELP", tid="1"))
    post(service, sms("See you at five", tid="2"))
    assert list(InboundMessage.objects.order_by("pk").values_list("meaning", "text")) == [
        ("help", "HELP"),
        ("", "See you at five"),
    ]
    assert not OptOut.objects.exists()


def test_a_stop_belongs_to_the_newest_send_from_the_sender_that_it_answers():
    service, provider = a_service(), Provider()
    other = Sender.objects.create(service=service, address="72345", kind=SenderKind.SHORT_CODE)
    first = a_send(service)
    second = a_send(service)
    third = a_send(service, sender=other)
    provider.dispatch()
    a_send(service, due_at=timezone.now() + timedelta(hours=1))  # posted to nobody yet
    for to, expected in (("SHOP", second), ("72345", third), ("+72345", third), ("60000", third)):
        OptOut.objects.all().delete()
        post(service, sms(tid=to, da=to))
        assert OptOut.objects.get().send == expected, to
    assert not OptOut.objects.filter(send=first).exists()


def test_the_rule_against_too_many_opt_outs_counts_them():
    service = a_service(hold_opt_outs=5)
    send = a_send(service, 100)
    Provider().dispatch()
    for index in range(5):
        assert [found.rule for found in broken_rules(send, send.counts(), now=timezone.now())] == []
        post(service, sms(oa=f"44771{index:07d}", tid=str(index)))
    assert [found.rule for found in broken_rules(send, send.counts(), now=timezone.now())] == ["opt_outs"]


def test_a_body_over_64_kib_is_refused():
    service = a_service()
    path, most = f"/inbound/{service.receipt_token}/", 64 * 1024
    assert ask("POST", path, sms().ljust(most + 1), length=most + 1)[0] == 413
    assert ask("POST", path, sms().ljust(most), length=most)[0] == 200
    assert InboundMessage.objects.count() == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not json",
        b"[]",
        b'{"message": "STOP"}',
        b"\xff\xfe",
        sms(oa="SHOPPING"),
        sms(oa="1" * 40),
        b"[" * 60_000,
    ],
)
def test_poison_is_answered_200_and_kept_with_its_reason(raw):
    service = a_service()
    assert post(service, raw).status_code == 200
    message = InboundMessage.objects.get()
    assert bytes(message.raw) == raw
    assert message.why == "unreadable"
    assert message.reason
    assert not OptOut.objects.exists()


def test_a_nul_and_a_long_text_are_stored():
    service = a_service()
    assert post(service, sms("STOP \0" + "x" * 5000)).status_code == 200
    assert InboundMessage.objects.get().why == ""
    assert OptOut.objects.count() == 1


def test_what_breaks_our_own_code_is_kept_alone_and_can_be_tried_again():
    service = a_service()
    with connection.execute_wrapper(failing("sms_optout", DataError("too much of it"))):
        assert post(service, sms()).status_code == 200
        assert post(service, sms("HELP", tid="2")).status_code == 200
    message = InboundMessage.objects.get(why="broke")
    assert "DataError" in message.reason
    assert not OptOut.objects.exists()
    assert InboundMessage.objects.filter(meaning="help", why="").count() == 1
    assert optouts.retry(message)
    assert OptOut.objects.count() == 1
    assert not InboundMessage.objects.filter(why="broke").exists()


def test_while_the_database_is_away_it_waits_on_the_disk_and_comes_in_with_the_sweep():
    service = a_service()
    assert Client().head(f"/inbound/{service.receipt_token}/").status_code == 200  # now it is known
    with connection.execute_wrapper(AWAY):
        assert post(service, sms()).status_code == 200
        assert optouts.inbound_spool.waiting()[0] == 1
        with pytest.raises(OperationalError):
            optouts.sweep()
        assert optouts.inbound_spool.waiting()[0] == 1, "still away: it stays"
    assert not OptOut.objects.exists()
    assert optouts.sweep() == 1
    assert OptOut.objects.get().msisdn == PHONE
    assert optouts.sweep() == 0


def test_a_sweep_brings_in_what_waits_and_sets_damaged_files_apart(state_folder):
    service = a_service()
    optouts.inbound_spool.append([optouts.IncomingPost(service.pk, sms(), timezone.now())])
    (state_folder / "inbound" / "0.spool").write_bytes(b"\xc1 is no record")
    assert optouts.sweep() == 1
    assert optouts.inbound_spool.waiting()[0] == 0
    assert OptOut.objects.get().msisdn == PHONE
    assert (state_folder / "inbound" / "0.kept").exists()


def test_an_sms_that_cannot_be_brought_in_holds_up_no_other(state_folder):
    service = a_service()
    for number in ("1", "2"):
        optouts.inbound_spool.append([optouts.IncomingPost(service.pk, sms(tid=number), timezone.now())])
    taken = []

    def take(batch: list[optouts.IncomingPost]) -> None:
        if any(b'"1"' in item.raw for item in batch):
            raise IntegrityError("its service is gone")
        taken.extend(batch)

    assert optouts.inbound_spool.sweep(take) == 1
    assert [item.raw for item in taken] == [sms(tid="2")]
    assert optouts.inbound_spool.waiting()[0] == 0
    assert len(list(optouts.inbound_spool.folder.glob("*.kept"))) == 1


def test_neither_database_nor_disk_is_503(state_folder):
    service = a_service()
    assert Client().head(f"/inbound/{service.receipt_token}/").status_code == 200
    (state_folder / "inbound").write_text("a file is in the way")
    with connection.execute_wrapper(AWAY):
        answer = post(service, sms())
    assert answer.status_code == 503
    assert answer["Retry-After"] == "30"
    assert not InboundMessage.objects.exists()


def test_the_audit_names_no_number():
    service = a_service()
    post(service, sms())
    post(service, sms("START", tid="2"))
    acts = AuditEvent.objects.filter(act__startswith="optout.")
    assert [event.act for event in acts] == ["optout.lifted", "optout.added"]
    assert "7710" not in str([(event.details, event.noun_key, event.actor_label) for event in acts])


@pytest.mark.django_db(transaction=True)
def test_the_same_stop_from_many_requests_at_once_is_one():
    service = a_service()
    statuses: list[int] = []

    def deliver() -> None:
        try:
            statuses.append(post(service, sms()).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=deliver) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 8
    assert InboundMessage.objects.count() == OptOut.objects.count() == 1


# --- Who said what last ---------------------------------------------------------------------------------------------------
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def said(service, *words: tuple[str, float], ids: bool = True) -> bool:
    """These words with the minute of each, in the order in which they are brought in; whether the number is opted out then."""
    for number, (text, minute) in enumerate(words):
        raw = sms(text, tid=f"t-{number}" if ids else "")
        optouts.take(raw, service_id=service.pk, received_at=NOON + timedelta(minutes=minute))
    return bool(OptOut.in_force(service.pk, [PHONE]))


@pytest.mark.parametrize(
    ("words", "out"),
    [
        ((("STOP", 5), ("START", 0)), True),
        ((("START", 5), ("STOP", 0)), False),
        ((("STOP", 0), ("START", 5)), False),
        ((("STOP", 0), ("STOP", 10), ("START", 5)), True),
        ((("STOP", 0), ("START", 5), ("STOP", 3)), False),
        ((("STOP", 0), ("START", 5), ("STOP", 10)), True),
    ],
)
def test_the_last_word_counts_in_whatever_order_they_are_brought_in(words, out):
    assert said(a_service(), *words) is out


def test_words_without_an_id_are_repeated_within_minutes_only():
    service = a_service()
    assert said(service, ("STOP", 0), ("STOP", 1), ("STOP", 3), ids=False)
    assert InboundMessage.objects.count() == 1
    assert not said(service, ("START", 60 * 24), ids=False)
    assert said(service, ("STOP", 60 * 24 * 9), ids=False)
    assert not said(service, ("START", 60 * 24 * 9 + 1), ids=False)
    assert said(service, ("STOP", 60 * 24 * 9 + 2), ids=False), "said again after something else"


def test_a_stop_counts_whatever_host_it_was_posted_to():
    """Through the server's own entry, since that decides which middleware there is."""
    from portal.wsgi import application

    service, answers = a_service(), []
    asked = RequestFactory().post(
        f"/inbound/{service.receipt_token}/",
        data=sms(),
        content_type="application/json",
        headers={"host": "other.example"},
    )
    request_started.disconnect(
        close_old_connections
    )  # as the test client does: it would end the test's transaction
    try:
        list(application(asked.environ, lambda status, headers: answers.append(status)))
    finally:
        request_started.connect(close_old_connections)
    assert answers == ["200 OK"]
    assert OptOut.in_force(service.pk, [PHONE])
