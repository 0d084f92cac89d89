"""Approval beside other writers: no lock is held while the messages of a send are read, and there are no deadlocks."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from sms.compose import background
from sms.compose.approval import endings, fingerprint, release, requests
from sms.compose.create import create
from sms.dispatch.claim import ClaimedSlice, Owner, renew
from sms.models import ApprovalRequest, Message, Preparation, Send, SendState, Slice
from sms.sends import answers, reschedule
from tests.support.approvals import a_careful_service, a_person, acting, request_of
from tests.support.large_audiences import large_order
from tests.support.provider import Provider
from tests.support.sends import BY, a_send

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
COUNT = 40


@contextmanager
def nothing_read_under_a_lock() -> Iterator[None]:
    """No message's text is read in a transaction: on SQLite every writer would wait for it."""
    inside: list[str] = []

    def look(execute, sql, params, many, context):
        if connection.savepoint_ids and '"substitutions"' in sql and sql.startswith("SELECT"):
            inside.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        yield
    assert inside == []


def yes(send: Send, user) -> None:
    request = request_of(send)
    answers.approve(request, by=acting(user), seen=request.fingerprint)


def a_yes(send: Send) -> None:
    yes(send, a_person("bob", send.service))


def a_move(send: Send) -> None:
    reschedule.reschedule(send, due_at=timezone.now() + HOUR, by=BY)


def a_change(send: Send) -> None:
    endings.void(send, ["text"], by=BY)


def asking_again(send: Send) -> None:
    ApprovalRequest.objects.update(expires_at=timezone.now())
    assert endings.expire_due() == 1
    assert requests.ask_again(send, by=BY)


def a_refused_yes(send: Send) -> None:
    Message.objects.filter(send=send).update(text="Changed")
    with pytest.raises(answers.ChangedSince):
        a_yes(send)


def a_change_that_a_dispatcher_finds(send: Send) -> None:
    a_yes(send)
    Message.objects.filter(send=send).update(text="Changed")
    piece = send.slices.get()
    ids = {"slice_id": piece.pk, "first_id": piece.first_id, "last_id": piece.last_id}
    assert not release.is_as_approved(send.pk, **ids, now=timezone.now())


@pytest.mark.parametrize(
    "act",
    [a_yes, a_move, a_change, asking_again, a_refused_yes, a_change_that_a_dispatcher_finds],
    ids=lambda act: act.__name__,
)
def test_messages_are_read_before_anything_is_locked(act: Callable[[Send], None]):
    send = a_send(a_careful_service(), COUNT)
    with nothing_read_under_a_lock():
        act(send)


def test_a_large_send_is_read_before_it_is_opened():
    send = create(large_order(a_careful_service(), 700), by=BY)
    with nothing_read_under_a_lock():
        background.run(stopped=lambda: False)
    request, found = request_of(send), fingerprint.of_send(send.pk)
    assert (request.fingerprint, request.snapshot["recipients"]) == (found.digest, 693)
    assert dict(send.slices.values_list("pk", "approved")) == found.slices


def test_a_message_that_changes_between_the_reading_and_the_approval_is_not_posted():
    send = a_send(a_careful_service(), COUNT)
    changed: list[bool] = []

    def between(execute, sql, params, many, context):
        if connection.savepoint_ids and not changed:
            changed.append(True)
            Message.objects.filter(send=send, row=COUNT).update(text="Changed")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(between):
        a_yes(send)
    assert changed
    provider = Provider()
    provider.dispatch()
    assert provider.bodies == []
    assert Send.objects.get(pk=send.pk).state == SendState.AWAITING
    assert request_of(send).changed == ["values"]


def test_slices_that_are_others_by_then_are_read_again():
    send = a_send(a_careful_service(), COUNT)
    found = fingerprint.digest_messages(send.pk)
    piece = send.slices.get()
    middle = piece.first_id + COUNT // 2
    Slice.objects.filter(pk=piece.pk).update(last_id=middle - 1)
    Slice.objects.create(
        send=send, service=send.service, first_id=middle, last_id=piece.last_id, due_at=piece.due_at
    )
    assert len(fingerprint.of_send(send.pk, digests=found).slices) == 2


def test_the_person_who_moves_a_send_while_it_is_written_cannot_approve_it():
    service = a_careful_service()
    bob, eve = a_person("bob", service), a_person("eve", service)
    send = create(large_order(service, 1_500), by=BY)
    assert not background.work_on(send.preparation.pk, stopped=lambda: True)
    for due in (HOUR, 2 * HOUR):
        reschedule.reschedule(send, due_at=timezone.now() + due, by=acting(bob))
    reschedule.reschedule(send, due_at=timezone.now() + HOUR, by=BY)
    assert Preparation.objects.get(send=send).movers == [bob.pk]
    background.run(stopped=lambda: False)
    with pytest.raises(answers.ApprovalRefused, match="You wrote this"):
        yes(send, bob)
    yes(send, eve)


# --- two that lock the same slices ----------------------------------------------------------------------------------------


def under_way(act: Callable[[], object], failed: list[Exception]) -> threading.Thread:
    """On a connection of its own whose plans find rows in the order in which they lie; returns once it waits for a lock."""

    def run() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET enable_indexscan = off")
                cursor.execute("SET enable_bitmapscan = off")
                cursor.execute("SET application_name = 'in_the_test'")
            act()
        except Exception as problem:
            failed.append(problem)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def waiting(count: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'in_the_test'"
            )
            if cursor.fetchone()[0] == count:
                return
        time.sleep(0.02)
    raise AssertionError(f"{count} should wait for a lock")


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgresql  # SQLite has one writer, and no rows to lock
@pytest.mark.parametrize("first", ["dispatcher", "approval"])
def test_a_dispatcher_and_an_approval_do_not_wait_for_each_other(first):
    """One holds the first slice by key, and the rows lie in the other order: whoever takes them as they lie has the second already."""
    send = a_send(a_careful_service(), 2)
    piece, owner = send.slices.get(), Owner("me")
    Slice.objects.filter(pk=piece.pk).update(last_id=piece.first_id)
    Slice.objects.create(
        send=send, service=send.service, first_id=piece.last_id, last_id=piece.last_id, due_at=piece.due_at
    )
    Slice.objects.update(owner="me", leased_until=timezone.now() + HOUR)
    Slice.objects.filter(pk=piece.pk).update(stage=0)  # now it lies behind the other
    leases = [
        ClaimedSlice(one.pk, send.pk, send.service_id, 1, one.first_id, one.last_id)
        for one in send.slices.order_by("pk")
    ]
    failed: list[Exception] = []

    def renewing() -> None:
        with transaction.atomic():
            renew(leases, owner=owner)

    def voiding() -> None:
        endings.void(send, ["text"], by=BY)

    acts = [renewing, voiding] if first == "dispatcher" else [voiding, renewing]
    with transaction.atomic():
        Slice.objects.select_for_update().get(pk=piece.pk)
        threads = []
        for act in acts:
            threads.append(under_way(act, failed))
            waiting(len(threads))
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert not any(lease.lost for lease in leases)
