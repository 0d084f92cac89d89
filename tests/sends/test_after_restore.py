"""A restored copy is known for one, nothing of it is posted, and `manage.py after_restore` settles it by what receipts prove."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, transaction
from django.utils import timezone

from sms import dispatch
from sms.compose.create import create
from sms.dispatch import epochs
from sms.dispatch.restored_copy import FOUND, NotAfterRestore
from sms.inbound import receipts
from sms.ledger import states as states_of_ledger
from sms.ledger.counters import CounterDeltas
from sms.models import AuditEvent, Epoch, Hold, Message, Resend, RestoredCopy, Send, Service
from sms.models.sql.messages import Acceptance
from sms.sends import after_restore, control, holds
from sms.values import correlation_id
from tests.support.dispatching import release, states
from tests.support.jobs import run_job
from tests.support.killing import killed_at
from tests.support.large_audiences import large_order, one_block
from tests.support.partners import a_partner
from tests.support.people import signed_in
from tests.support.provider import Provider
from tests.support.receipts import post, receipt
from tests.support.sends import BY, a_send, a_service

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ids_stay_low")]
ANOTHER = "7-16384-16385"  # number of a database
MESSAGES = {"table": Message._meta.db_table, "column": "id"}


def is_restored(folder, *, ago: timedelta = timedelta()) -> None:
    """As if this database had been put back: files beside it have seen more. A process begins."""
    run_job("epoch")
    known = Epoch.objects.first()
    said = {"number": known.number + 1, "name": "f" * 32, "raised_at": (timezone.now() - ago).isoformat()}
    (folder / "epoch.json").write_text(json.dumps(said))
    epochs.forget()


def run(*options: str) -> str:
    out = StringIO()
    call_command("after_restore", *options, stdout=out)
    return out.getvalue()


def heard_of(service, message, *, attempt: int) -> None:
    name = correlation_id.write(message_id=message.pk, attempt=attempt, key=service.correlation_key)
    assert post(service, receipt(name)).status_code == 200


def test_a_process_that_begins_beside_a_newer_file_posts_nothing_and_nobody_resumes_it(state_folder):
    service, provider = a_service(), Provider()
    a_send(service, 3)
    is_restored(state_folder)
    provider.dispatch()
    assert provider.bodies == []
    client = signed_in("admin@example.test", service, "admin")
    page = client.get("/s/shop/").content.decode()
    assert "This is a restored copy" in page
    assert "Resume sending" not in page
    answer = client.post("/s/shop/settings/resume/", follow=True).content.decode()
    assert "after_restore" in answer
    with pytest.raises(NotAfterRestore):
        control.resume_service(service, by=BY)
    assert Service.objects.get().paused_at is not None
    provider.another_process()
    assert provider.bodies == []


def test_the_files_of_other_hosts_do_not_tell_of_the_same_restore_again(state_folder):
    service = a_service()
    a_send(service)
    is_restored(state_folder)
    run_job("epoch")
    run()
    control.resume_service(service, by=BY)
    is_restored(state_folder, ago=timedelta(minutes=5))
    run_job("epoch")
    assert RestoredCopy.objects.count() == 1
    is_restored(state_folder)
    run_job("epoch")
    assert RestoredCopy.objects.count() == 2, "another restore is found"


def test_no_crash_and_no_new_folder_look_like_a_restore(state_folder):
    a_send(a_service())
    run_job("epoch")
    kept = (state_folder / "epoch.json").read_bytes()
    assert (state_folder / "archive" / "epoch.json").read_bytes() == kept
    epochs.forget()
    run_job("epoch")  # a process that begins raises it
    assert (state_folder / "epoch.json").read_bytes() != kept
    (state_folder / "epoch.json").write_bytes(kept)  # killed between its commit and its file
    epochs.forget()
    run_job("epoch")
    (state_folder / "epoch.json").write_bytes(b"{")
    (state_folder / "archive" / "epoch.json").unlink()
    epochs.forget()
    run_job("epoch")
    assert not RestoredCopy.objects.exists()


@pytest.mark.postgresql
def test_a_database_of_another_number_is_a_copy_however_young_and_one_of_no_number_is_none(state_folder):
    service, provider = a_service(), Provider()
    a_send(service, 2)
    run_job("epoch")
    Epoch.objects.update(identity="")  # as an epoch from before there were numbers
    epochs.forget()
    provider.dispatch()
    assert len(provider.bodies) == 2
    assert Epoch.objects.first().identity.count("-") == 2, "what is posted has an epoch with its number"
    a_send(service, 2)
    Epoch.objects.update(identity=ANOTHER)
    provider.dispatch()
    assert len(provider.bodies) == 2
    assert f"and was {ANOTHER}" in RestoredCopy.objects.get().why
    call_command("after_restore", "--not-restored", "PostgreSQL was upgraded.", stdout=StringIO())
    control.resume_service(service, by=BY)
    provider.another_process()
    assert len(provider.bodies) == 4, "it is told once"


@pytest.mark.postgresql
def test_what_is_sent_before_any_dispatcher_has_looked_takes_no_id_of_the_lost_part():
    service, partner = a_partner("send")
    lost = a_send(service).messages.get().pk
    run_job("epoch")
    Epoch.objects.update(identity=ANOTHER)
    said = partner.post("sends", {"text": "Hi", "recipients": ["+447712000001"]}, Idempotency_Key="1")
    assert said.status_code == 201, said.content
    service.refresh_from_db()
    assert service.paused_because == FOUND
    assert RestoredCopy.objects.get().last_send < said.json()["id"]
    assert Message.objects.latest("pk").pk > lost + 99_000_000


@pytest.mark.postgresql
def test_a_large_send_that_is_being_written_goes_on_with_ids_of_its_own():
    send = create(large_order(a_service()), by=BY)
    one_block(send)
    lost = send.messages.latest("pk").pk
    run_job("epoch")
    Epoch.objects.update(identity=ANOTHER)
    one_block(send)
    assert RestoredCopy.objects.exists()
    assert send.messages.latest("pk").pk > lost + 99_000_000


def test_what_was_posted_has_an_epoch_behind_it_once_the_process_ends(state_folder):
    a_send(a_service(), 2)
    Provider().dispatch()
    while_it_posted = Epoch.objects.get().name
    epochs.after_posting(leaving=False)
    assert Epoch.objects.get().name == while_it_posted, "not with every send"
    epochs.after_posting(leaving=True)
    assert json.loads((state_folder / "epoch.json").read_bytes())["name"] != while_it_posted
    epochs.after_posting(leaving=True)
    assert Epoch.objects.count() == 2, "nothing was posted since"


def test_a_copy_from_before_the_first_send_names_no_message_as_the_lost_part_did(state_folder):
    service, provider = a_service(), Provider()
    lost = a_send(service, 2)
    names = [(one.pk, one.attempt + 1) for one in lost.messages.all()]
    Send.objects.all().delete()  # as the backup has it: a service, and nothing sent
    for statement in connection.ops.sequence_reset_by_name_sql(no_style(), [MESSAGES]):
        with connection.cursor() as cursor:
            cursor.execute(statement)
    is_restored(state_folder)
    call_command("prepare", stdout=StringIO())
    assert RestoredCopy.objects.get().service == service
    send = a_send(service, 2)
    run()
    control.resume_service(service, by=BY)
    for pk, attempt in names:  # receipts of the lost part come late
        name = correlation_id.write(message_id=pk, attempt=attempt, key=service.correlation_key)
        assert post(service, receipt(name)).status_code == 200
    receipts.fold()
    assert states(send) == {"pending": 2}
    provider.dispatch()
    receipts.fold()
    assert states(send) == {"queued": 2}, "no receipt of a lost message is taken for one of these"


def test_a_new_database_beside_old_files_is_no_copy_on_any_host(state_folder):
    a_send(a_service())
    run_job("epoch")
    another_host = (state_folder / "epoch.json").read_bytes()
    Send.objects.all().delete()
    Service.objects.all().delete()
    Epoch.objects.all().delete()
    epochs.forget()
    assert not epochs.check(), "as prepare does before anything is made"
    service, provider = a_service(), Provider()
    a_send(service)
    run_job("epoch")
    (state_folder / "archive" / "epoch.json").write_bytes(another_host)
    provider.another_process()
    assert not RestoredCopy.objects.exists()
    assert len(provider.bodies) == 1


def test_receipts_prove_and_all_else_is_unconfirmed_whatever_its_policy(state_folder):
    service, provider = a_service(), Provider()
    soon = timezone.now() + timedelta(minutes=5)
    send = a_send(service, 4, resend=Resend.ALWAYS, expires_at=soon)
    twice, once, _, _ = send.messages.order_by("pk")
    heard_of(service, twice, attempt=2)
    heard_of(service, once, attempt=1)
    receipts.fold()
    assert states(send) == {"pending": 4}, "this copy knows no such attempt"
    is_restored(state_folder)
    assert "2 proved, 2 unconfirmed" in run()
    assert states(send) == {"delivered": 2, "unconfirmed": 2}
    assert Message.objects.get(pk=twice.pk).attempt == 2
    assert control.resume_service(service, by=BY)
    Send.objects.update(expires_at=soon + timedelta(days=1))
    Message.objects.filter(state="unconfirmed").update(posted_at=timezone.now() - timedelta(hours=1))
    release(send)
    provider.dispatch()
    assert provider.bodies == []
    for late in send.messages.filter(state="unconfirmed")[:1]:
        heard_of(service, late, attempt=1)
        receipts.fold()
    assert states(send) == {"delivered": 3, "unconfirmed": 1}, "a receipt of a lost attempt still fits"
    assert dispatch.by_person(send, dispatch.Settlement.SEND_AGAIN, by=BY) == 1
    provider.dispatch()
    (body,) = provider.bodies
    name = correlation_id.read(body["to"][0]["correlationId"], key=service.correlation_key)
    assert name.attempt == 1001, "no attempt of what was lost had this name"


def test_what_is_due_later_waits_for_a_person_and_new_sends_have_new_ids(state_folder):
    service, provider = a_service(), Provider()
    later = a_send(service, 2, due_at=timezone.now() + timedelta(days=1))
    open_one = a_send(service)
    is_restored(state_folder)
    run_job("epoch")
    made_since = a_send(service, content="Made in this copy")
    assert made_since.messages.get().pk > open_one.messages.get().pk + 1_000_000
    found = run("--service", "shop")
    assert "1 unconfirmed, 2 due later, 1 sends held" in found
    again = run()
    assert "0 proved, 0 unconfirmed, 0 due later, 0 sends held" in again
    assert (states(later), states(open_one), states(made_since)) == (
        {"pending": 2},
        {"unconfirmed": 1},
        {"pending": 1},
    )
    control.resume_service(service, by=BY)
    release(later)
    provider.dispatch()
    assert len(provider.bodies) == 1, "only what was made since"
    holds.lift(holds.holds_on(later).get(), by=BY)
    provider.dispatch()
    assert len(provider.bodies) == 3
    acts = list(AuditEvent.objects.filter(act__contains="restored_copy").values_list("act", flat=True))
    assert acts.count("service.restored_copy_found") == 1
    assert acts.count("service.restored_copy_settled") == 2


@pytest.mark.django_db(transaction=True)
def test_killed_anywhere_and_run_again_it_ends_as_if_it_had_not_been(state_folder, monkeypatch):
    monkeypatch.setattr(after_restore, "AT_ONCE", 2)
    spared, killed = a_service(slug="spared", name="Spared"), a_service(slug="killed", name="Killed")
    tomorrow = timezone.now() + timedelta(days=1)
    sends = {}
    for service in (spared, killed):
        sends[service] = [
            a_send(service, 5, resend=Resend.ALWAYS, expires_at=tomorrow),
            a_send(service, 3, due_at=tomorrow),
            a_send(service, 1),
        ]
        for message in sends[service][0].messages.order_by("pk")[1:3]:
            heard_of(service, message, attempt=2)
    is_restored(state_folder)
    run("--service", "spared")
    for point in (
        *("settling_uncommitted:1", "settling_committed:1", "settling_uncommitted:2", "settling_committed:2"),
        *("settling_uncommitted:1", "settling_committed:1", "settled_uncommitted"),
    ):
        assert killed_at(point, lambda: run("--service", "killed"), after_restore), point
        assert RestoredCopy.objects.get(service=killed).settled_at is None
    assert "0 proved, 0 unconfirmed, 0 due later" in run("--service", "killed")

    def ended(service):
        rows = Message.objects.filter(send__service=service).order_by("pk")
        holds_placed = Hold.objects.filter(service=service).values_list("because", flat=True)
        service.refresh_from_db()
        return (
            list(rows.values_list("state", "attempt", "resent", "detail", "code")),
            [states(send) for send in sends[service]],
            list(holds_placed),
            service.paused_because,
            service.restored_copies.get().settled_at is not None,
            AuditEvent.objects.filter(act="service.restored_copy_settled", service_slug=service.slug).count(),
        )

    assert ended(killed) == ended(spared)
    assert ended(killed)[1] == [{"delivered": 2, "unconfirmed": 3}, {"pending": 3}, {"unconfirmed": 1}]


def test_an_answer_to_an_attempt_that_a_promoted_standby_does_not_know_counts_with_its_attempt():
    service = a_service()
    send = a_send(service)
    message, at = send.messages.get(), timezone.now()
    with transaction.atomic():
        deltas = CounterDeltas()
        states_of_ledger.hold({message.pk})
        states_of_ledger.accept([Acceptance(message.pk, 1, "T-1")], at=at, deltas=deltas)
        deltas.write()
    message.refresh_from_db()
    assert (message.attempt, message.posted_at, message.provider_id) == (1, at, "T-1")
    assert states(send) == {"queued": 1}
    heard_of(service, message, attempt=1)
    receipts.fold()
    assert states(send) == {"delivered": 1}


def test_an_operator_may_say_that_nothing_was_lost(state_folder):
    service, provider = a_service(), Provider()
    send = a_send(service)
    is_restored(state_folder)
    assert "1 services may be resumed" in run("--not-restored", "The folder came from another host.")
    assert states(send) == {"pending": 1}
    control.resume_service(service, by=BY)
    provider.dispatch()
    assert len(provider.bodies) == 1
    assert AuditEvent.objects.filter(act="service.restored_copy_denied").count() == 1


def test_a_copy_that_nothing_shows_is_one_by_the_operators_word():
    service = a_service()
    send = a_send(service)
    assert "1 unconfirmed" in run()
    assert states(send) == {"unconfirmed": 1}
    assert Service.objects.get().paused_at is not None
