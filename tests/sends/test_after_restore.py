"""A restored copy is known for one, nothing of it is posted, and `manage.py after_restore` settles it by what receipts prove."""

import json
import shutil
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, transaction
from django.utils import timezone
from django.utils.crypto import get_random_string

from sms import dispatch
from sms.compose.create import create
from sms.dispatch import epochs
from sms.dispatch.restored_copy import FOUND, NotAfterRestore
from sms.inbound import receipts
from sms.ledger import states as states_of_ledger
from sms.ledger.counters import CounterDeltas
from sms.models import AuditEvent, Epoch, Event, Heartbeat, Hold, Message, Resend, RestoredCopy, Send, Service
from sms.models.sql.messages import Acceptance
from sms.operations import faults
from sms.operations.faults import Fault
from sms.operations.own_facts import OwnFacts
from sms.sends import after_restore, control, holds
from sms.sends.cancel import cancel
from sms.values import correlation_id
from tests.support.callbacks import an_endpoint
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
    assert not RestoredCopy.objects.exists()


def faults_told() -> list[Fault]:
    """As a heartbeat of this process carries them."""
    says = {"doing": "", "progress": 0} | OwnFacts().now()
    Heartbeat.beat("1-a", host="far", pid=1, kind=Heartbeat.Kind.DISPATCH, **says)
    return [one for one in faults.find() if one.word == faults.EPOCH]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"number": 1}',
        b'{"number": Infinity, "name": "%s", "raised_at": "2026-01-01T00:00:00Z"}' % (b"a" * 32),
        b'{"number": 1e400, "name": "%s", "raised_at": "2026-01-01T00:00:00Z"}' % (b"a" * 32),
        b'{"number": 9223372036854775808, "name": "%s", "raised_at": "2026-01-01T00:00:00Z"}' % (b"a" * 32),
        b'{"number": 1, "name": "%s", "raised_at": "2026-01-01T00:00:00"}' % (b"a" * 32),
        b'{"number": 1, "name": "\\u0000%s", "raised_at": "2026-01-01T00:00:00Z"}' % (b"a" * 31),
        b"\xff" * 9,
        None,
    ],
)
def test_a_file_that_cannot_be_read_is_told_and_left_as_it_is_and_stops_nobody(state_folder, content):
    """It may be all that tells of a restore, and it may be that somebody else's command wrote it."""
    service, provider = a_service(), Provider()
    a_send(service, 2)
    run_job("epoch")
    path = state_folder / "epoch.json"
    path.unlink()
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    epochs.forget()
    provider.dispatch()
    run_job("epoch")
    assert len(provider.bodies) == 2 and not RestoredCopy.objects.exists()
    (found,) = faults_told()
    assert f"{path} cannot be read" in found.says and "remove it" in found.says
    assert path.is_dir() if content is None else path.read_bytes() == content
    path.rename(state_folder / "away")  # as the operator was told
    run_job("epoch")
    assert json.loads(path.read_bytes())["number"] == Epoch.objects.first().number
    assert faults_told() == []


def test_a_folder_that_takes_no_epoch_is_told(state_folder):
    a_send(a_service())
    shutil.rmtree(state_folder / "archive", ignore_errors=True)
    (state_folder / "archive").write_bytes(b"a file in its place")
    run_job("epoch")
    (found,) = faults_told()
    assert f"{state_folder / 'archive'}" in found.says


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
@pytest.mark.parametrize(
    "function",
    ["pg_control_system()", "pg_walfile_name(pg_lsn)", "pg_current_wal_lsn()"],
    ids=lambda name: name.split("(")[0],
)
def test_a_server_that_keeps_a_number_to_itself_is_sent_through_and_its_own_history_is_no_other(function):
    """As hosted ones do. What is known of it before and what is known of it then are compared by what both know."""
    service, provider = a_service(), Provider()
    an_endpoint(service)
    a_send(service, 2)
    run_job("epoch")
    with connection.cursor() as cursor:
        cursor.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")
        role = f"hosted_{get_random_string(12, 'abcdef')}"
        cursor.execute(f"CREATE ROLE {role}; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
        cursor.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}; SET LOCAL ROLE {role}")
    epochs.forget()
    provider.dispatch()
    assert len(provider.bodies) == 2 and not RestoredCopy.objects.exists()
    cancel(a_send(service, due_at=timezone.now() + timedelta(days=1)), by=BY)
    assert Event.objects.exists(), "events are written by what is known"
    a_send(service, 2)
    server, database, table = Epoch.objects.first().identity.split("-")
    Epoch.objects.update(identity=f"{server}-{database}-{int(table) + 1}")
    provider.dispatch()
    assert len(provider.bodies) == 2 and RestoredCopy.objects.exists(), (
        "a restored dump is known by the others"
    )


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
    assert name.attempt == RestoredCopy.objects.get().attempts_from + 1, (
        "no attempt of what was lost had this name"
    )


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
