"""The same backup is restored a second time: nothing of the first restored copy's life is taken for something of the second's."""

from contextlib import contextmanager
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from sms import dispatch
from sms.compliance.erasure.naming import windows
from sms.dispatch import epochs
from sms.dispatch.journal import Journal, journals
from sms.dispatch.post import PostOutcome
from sms.dispatch.restored_copy import FOUND, SETTLED
from sms.inbound import optouts, receipts
from sms.models import Click, Event, Message, RestoredCopy, Send
from sms.models.sql import sequences
from sms.models.sql.session import database_now
from sms.reports import facts
from sms.sends import control, holds
from sms.sends.message_search import MessageSelection, csv_of, select_messages
from sms.sends.reschedule import reschedule
from sms.values import correlation_id, lives
from sms.values.msisdn.mention import masked_values
from sms.webex.errors import RequestRefused, Unconfirmed
from sms.webex.replies import Accepted
from tests.support import emptying
from tests.support.callbacks import an_endpoint
from tests.support.dispatching import Dispatcher, release, states
from tests.support.jobs import run_job
from tests.support.partners import a_partner
from tests.support.processes import until
from tests.support.provider import Provider
from tests.support.receipts import post, receipt
from tests.support.sends import BY, a_send, a_service

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ids_stay_low")]
CLICKED = {
    "code": "7528",
    "status": "Clicked",
    "info": {"Description": "https://shop.example/offer|203.0.113.9", "additionalInfo": "Safari"},
}


@contextmanager
def lost_afterwards():
    """What happens inside is not in the backup that is restored at the end; files beside the database stay as they are."""
    last_ids = emptying.last_ids()
    made = transaction.savepoint()
    yield
    ended = lives.first_attempt(database_now())
    transaction.savepoint_rollback(made)
    last_ids()
    epochs.forget()
    # a backup takes longer to restore
    until(lambda: lives.first_attempt(database_now()) > ended + 1, what="the second is over")


def settled(service) -> str:
    """As the page for operators has it; then a person resumes."""
    run_job("epoch")
    assert RestoredCopy.objects.filter(service=service, settled_at=None).count() == 1
    said = StringIO()
    call_command("after_restore", stdout=said)
    assert control.resume_service(service, by=BY)
    return said.getvalue()


def heard(service, name: str, **says) -> None:
    assert post(service, receipt(name, **says)).status_code == 200
    receipts.fold()


def posted(provider: Provider) -> list[str]:
    provider.dispatch()
    return [body["to"][0]["correlationId"] for body in provider.bodies]


def of_no(send: Send, names: list[str]) -> list[str]:
    """Those that are of other sends."""
    key, its = send.service.correlation_key, set(send.messages.values_list("pk", flat=True))
    return [name for name in names if correlation_id.read(name, key=key).message_id not in its]


def send_again(send: Send) -> None:
    assert dispatch.by_person(send, dispatch.Settlement.SEND_AGAIN, by=BY)


def ask(partner, text: str) -> Send:
    said = partner.post("sends", {"text": text, "recipients": ["+447712000001"]}, Idempotency_Key=text)
    assert said.status_code == 201, said.content
    return Send.objects.get(pk=said.json()["id"])


def test_what_the_first_copy_sent_settles_nothing_of_the_second():
    service, partner = a_partner("send", base_url="")
    an_endpoint(service)
    send = a_send(service, 2)
    run_job("epoch")
    with lost_afterwards():
        lost = posted(Provider())
        epochs.forget()
        run_job("epoch")
    with lost_afterwards():
        assert "0 proved, 2 unconfirmed" in settled(service)
        send_again(send)
        ask(partner, "first")
        first = posted(Provider())
        assert len(first) == 3 and not set(first) & set(lost)
        (gone,) = of_no(send, first)
        heard(service, gone)
        told = set(
            Event.objects.filter(message_id__gt=send.messages.last().pk).values_list("event_id", flat=True)
        )
        assert told
    assert "0 proved, 2 unconfirmed" in settled(service)
    send_again(send)
    other = ask(partner, "second")
    heard(service, gone, code="7203", status="Undeliverable")
    heard(service, gone, **CLICKED)
    assert (states(send), states(other)) == ({"pending": 2}, {"pending": 1})
    provider = Provider()
    second = posted(provider)
    assert len(second) == 3 and not set(second) & {*first, *lost}
    heard(service, gone, info={"timeStamp": "2026-03-02T09:15:08.412Z"})
    assert (states(send), states(other)) == ({"queued": 2}, {"queued": 1}), "messages of their own"
    assert not Click.objects.exists()
    heard(service, *of_no(send, second))
    assert states(other) == {"delivered": 1}
    events = set(Event.objects.filter(send_id=other.pk).values_list("event_id", flat=True))
    assert events and not events & told, "a partner takes none of them for one that it had"


def test_what_the_first_copy_sent_again_is_proved_by_its_receipts_in_the_second():
    service, _ = a_partner("send", base_url="")
    send = a_send(service, 3)
    run_job("epoch")
    with lost_afterwards():
        posted(Provider())
        epochs.forget()
        run_job("epoch")
    with lost_afterwards():
        settled(service)
        send_again(send)
        first = posted(Provider())
    heard(service, first[0])
    assert states(send) == {"pending": 3}
    assert "1 proved, 2 unconfirmed" in settled(service)
    assert states(send) == {"delivered": 1, "unconfirmed": 2}
    heard(service, first[1])
    assert states(send) == {"delivered": 2, "unconfirmed": 1}, "a late one fits too"
    send_again(send)
    (name,) = posted(Provider())
    assert name not in first
    found = correlation_id.read(name, key=service.correlation_key)
    assert found.attempt == RestoredCopy.objects.get().attempts_from + 1


def test_a_backup_that_holds_a_finding_which_nobody_had_settled_is_in_doubt_up_to_itself():
    service, partner = a_partner("send", base_url="")
    a_send(service)
    run_job("epoch")
    with lost_afterwards():
        epochs.forget()
        run_job("epoch")
    run_job("epoch")  # found, and then a backup is made
    asked = ask(partner, "meanwhile")
    with lost_afterwards():
        call_command("after_restore", stdout=StringIO())
        control.resume_service(service, by=BY)
        assert len(posted(Provider())) == 1
        epochs.forget()
        run_job("epoch")
    assert "2 unconfirmed" in settled(service)
    assert states(asked) == {"unconfirmed": 1}
    assert posted(Provider()) == [], "it went out in what was lost"


def test_words_of_an_earlier_restore_do_not_stand_over_a_new_one():
    service, _ = a_partner(base_url="")
    call_command("after_restore", stdout=StringIO())
    run_job("epoch")
    with lost_afterwards():
        epochs.forget()
        run_job("epoch")
    run_job("epoch")
    service.refresh_from_db()
    assert service.paused_because == FOUND


def test_a_service_that_was_never_resumed_does_not_hide_another_restore_that_only_the_operator_knows_of():
    asleep = a_service(slug="asleep", name="Asleep")
    service = a_service()
    call_command("after_restore", stdout=StringIO())
    control.resume_service(service, by=BY)
    send = a_send(service)
    said = StringIO()
    call_command("after_restore", stdout=said)
    assert "shop: 0 proved, 1 unconfirmed" in said.getvalue()
    assert states(send) == {"unconfirmed": 1}
    assert asleep.restored_copies.count() == 2


def test_the_run_of_another_host_is_no_new_finding_for_a_service_that_a_person_had_paused():
    service = a_service()
    control.pause_everything(service, by=BY, because="Christmas")
    call_command("after_restore", stdout=StringIO())
    send = a_send(service)
    said = StringIO()
    call_command("after_restore", stdout=said)
    assert "It was settled before" in said.getvalue()
    assert (states(send), service.restored_copies.count()) == ({"pending": 1}, 1)


@pytest.mark.parametrize("when", ["before", "after"])
def test_answers_that_the_lost_part_left_on_a_disk_say_what_became_of_a_send_for_later(
    tmp_path, monkeypatch, when
):
    """Somebody sent it at once in the lost part. The answers are found by after_restore, or by a dispatcher of another host."""
    service = a_service()
    send = a_send(service, 4, due_at=timezone.now() + timedelta(days=1))
    run_job("epoch")
    with lost_afterwards():
        reschedule(send, due_at=timezone.now(), by=BY)
        lost = Dispatcher(send, "lost")
        results = [
            Accepted("their-id"),
            RequestRefused("7001", 400, "no such number"),
            Unconfirmed("timeout", 0, "ReadTimeout"),
        ]
        journal = Journal(tmp_path)
        journal.keep([PostOutcome(*pair) for pair in zip(lost.arm(3), results, strict=True)])
        journal.let_go()
        epochs.forget()
        run_job("epoch")
    (tmp_path / f"{journal.owner}.begun").unlink()
    if when == "before":
        monkeypatch.setattr(journals, "folder", tmp_path)
    assert "1 sends held" in settled(service)
    monkeypatch.setattr(journals, "folder", tmp_path)
    dispatch.recover()
    found = [row.state for row in send.messages.order_by("pk")]
    assert found == ["queued", "failed", "unconfirmed", "pending"]
    assert not send.messages.exclude(state="pending").filter(posted_at=None).exists()
    holds.lift(holds.holds_on(send).get(), by=BY)
    release(send)
    assert len(posted(Provider())) == 1, "what nothing was heard of, once a person let it go"
    assert states(send) == {"queued": 2, "failed": 1, "unconfirmed": 1}


def test_ids_after_a_restore_are_no_numbers_of_phones():
    """Else the log and the audit would hide which send they are about."""
    service, _ = a_partner("send", base_url="")
    call_command("after_restore", stdout=StringIO())
    control.resume_service(service, by=BY)
    send = a_send(service)
    assert masked_values({"send": send.pk}) == {"send": send.pk}


def test_a_service_whose_id_is_long_sends_and_what_is_looked_through_by_ids_comes_to_its_end(monkeypatch):
    """As after many restores: more than 32 bits, and a gap before them in which nothing is."""
    monkeypatch.setattr(sequences, "LARGE", 3_000_000_000_000)
    service, _ = a_partner("send", base_url="")
    a_send(service, 2)
    facts.fold()
    call_command("after_restore", stdout=StringIO())
    control.resume_service(service, by=BY)
    a_send(service, 1)
    new = a_service(slug="new", name="New", base_url="")
    send = a_send(new, 2)
    assert new.pk > 2**31 and send.pk > 2**31
    number = send.messages.first().msisdn
    assert optouts.opt_out(new.pk, [optouts.Refusal(number, "STOP")], by=BY, source="page")
    Provider().dispatch()
    assert sum(states(send).values()) == 2 and "pending" not in states(send)
    found = select_messages(service, MessageSelection(code="7203"))
    assert (found.messages, found.looked_to) == ([], None), "within one page's patience"
    assert len(list(csv_of(service, MessageSelection()))) == 4
    assert len(list(windows(Message.objects.all()))) == 2
    facts.fold()
    assert facts.compare()[1] is None


def test_who_said_by_mistake_that_nothing_was_lost_can_take_it_back():
    service, _ = a_partner("send", base_url="")
    send = a_send(service, due_at=timezone.now() + timedelta(days=1))
    run_job("epoch")
    with lost_afterwards():
        epochs.forget()
        run_job("epoch")
    run_job("epoch")
    call_command("after_restore", not_restored="a mistake", stdout=StringIO())
    call_command("after_restore", stdout=StringIO())
    assert holds.holds_on(send).count() == 1
    service.refresh_from_db()
    assert service.paused_because == SETTLED


@pytest.mark.parametrize("settled_before", [False, True])
def test_a_restore_that_only_the_operator_knows_of_while_an_earlier_one_stands_is_said(settled_before):
    """On a new host, or of SQLite: nothing tells the two apart."""
    service, partner = a_partner("send", base_url="")
    call_command("after_restore", stdout=StringIO())
    if not settled_before:
        RestoredCopy.objects.update(settled_at=None)
    asked = ask(partner, "meanwhile")  # and now a backup is made; the send went out in what was lost
    said = StringIO()
    call_command("after_restore", again=True, stdout=said)
    assert "1 unconfirmed" in said.getvalue()
    assert states(asked) == {"unconfirmed": 1}
    call_command("after_restore", stdout=said)
    assert RestoredCopy.objects.filter(service=service).count() == 1 + settled_before, "not again by itself"


def test_answers_on_the_disk_of_another_host_count_after_it_was_settled(tmp_path, monkeypatch):
    service = a_service()
    send = a_send(service, 3)
    run_job("epoch")
    with lost_afterwards():
        lost = Dispatcher(send, "lost")
        results = [
            Accepted("their-id"),
            RequestRefused("7001", 400, "no such number"),
            Unconfirmed("timeout", 0, "ReadTimeout"),
        ]
        journal = Journal(tmp_path)
        journal.keep([PostOutcome(*pair) for pair in zip(lost.arm(3), results, strict=True)])
        journal.let_go()
        epochs.forget()
        run_job("epoch")
    (tmp_path / f"{journal.owner}.begun").unlink()
    assert "3 unconfirmed" in settled(service)
    monkeypatch.setattr(journals, "folder", tmp_path)
    dispatch.recover()
    assert [row.state for row in send.messages.order_by("pk")] == ["queued", "failed", "unconfirmed"]
    assert posted(Provider()) == []
