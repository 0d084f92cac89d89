"""A preparation that breaks off is tried again with growing pauses, then people are told, and can let it go on where it stopped."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from portal.models import Role
from sms.compose import background, drafts
from sms.compose.background import lease, work
from sms.compose.create import create
from sms.models import AuditEvent, Preparation, Send, SendState
from sms.sends import control
from sms.sends.cancel import cancel
from tests.support.approvals import a_person
from tests.support.large_audiences import (
    LIMITS,
    a_draft,
    again,
    finished,
    large_order,
    one_block,
    people,
    refused,
)
from tests.support.sends import BY, a_service

pytestmark = pytest.mark.django_db
FOREVER = {"stopped": lambda: False}
ROWS = 2_500


def tried(found: Preparation) -> float:
    """One try; seconds until the next."""
    Preparation.objects.exclude(owner="").update(leased_until=timezone.now() - timedelta(seconds=1))
    assert background.has_work()
    background.run(**FOREVER)
    found.refresh_from_db()
    return (found.leased_until - timezone.now()).total_seconds() if found.leased_until else 0.0


@pytest.mark.parametrize(
    ("problem", "most", "said"),
    [
        (None, work.PATIENCE, "The database refused this work 8 times (OperationalError)"),
        (ValueError("odd"), work.TRIES, "It broke off 5 times (ValueError)"),
    ],
)
def test_what_breaks_off_is_tried_less_and_less_often_and_then_people_are_informed(problem, most, said):
    send = create(large_order(a_service(), ROWS), by=BY)
    one_block(send)
    found, there = send.preparation, send.messages.count()
    pauses = []
    with refused('INTO "sms_statecount"', problem):
        for _ in range(most - 1):
            pauses.append(tried(found))
            assert found.state == "waiting" and not background.has_work(), "nobody is busy with it meanwhile"
        tried(found)
    wanted = [min(work.FIRST_PAUSE * 2**at, work.LONGEST_PAUSE) for at in range(most - 1)]
    assert all(want - 4 < pause <= want for pause, want in zip(pauses, wanted, strict=True)), pauses
    assert (found.state, found.owner, found.trouble_code) == ("failed", "", "interrupted")
    assert found.trouble.startswith(said) and found.trouble.endswith("go on where it stopped.")
    assert send.messages.count() == there > 0
    assert Send.objects.get(pk=send.pk).state == SendState.PREPARING


def test_a_block_that_was_written_restarts_the_count():
    send = create(large_order(a_service(), ROWS), by=BY)
    found = send.preparation
    for _ in range(2):
        with refused('INTO "sms_statecount"'):
            tried(found)
            tried(found)
        assert found.tries == 2
        Preparation.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
        one_block(send)
        found.refresh_from_db()
        assert (found.tries, found.state) == (0, "waiting")


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_counts_nothing_and_fails_nothing():
    send = create(large_order(a_service(), ROWS), by=BY)

    def away(execute, sql, params, many, context):
        if tries["left"] <= 0:
            raise OperationalError("server closed the connection unexpectedly")
        tries["left"] -= 1
        return execute(sql, params, many, context)

    tries = {"left": 8}
    with connection.execute_wrapper(away), pytest.raises(OperationalError):
        background.work_on(send.preparation.pk)
    found = Preparation.objects.get(send=send)
    assert (found.state, found.tries) == ("waiting", 0)


@pytest.fixture
def failed(client) -> Send:
    """A send whose messages could not be written, and somebody who is signed in and may see to it."""
    service = a_service()
    client.force_login(a_person("ada", service, Role.COMPOSER))
    send = create(large_order(service, ROWS), by=BY)
    one_block(send)
    Preparation.objects.update(tries=work.PATIENCE - 1)
    with refused('INTO "sms_statecount"'):
        background.run(**FOREVER)
    assert Preparation.objects.get().state == "failed"
    return send


def test_its_page_lets_it_go_on_and_every_row_is_there_once(client, failed):
    url = f"/s/shop/sends/{failed.pk}/"
    page = client.get(url).content.decode()
    assert "go on where it stopped" in page and f"{url}write-on/" in page
    page = client.post(f"{url}write-on/", follow=True).content.decode()
    assert "It goes on where it stopped." in page and f"{url}write-on/" not in page
    event = AuditEvent.objects.get(act="send.writing_resumed")
    assert (event.noun_key, event.service_slug) == (str(failed.pk), "shop")
    background.run(**FOREVER)
    failed.refresh_from_db()
    rows = [*failed.messages.values_list("row", flat=True), *failed.rejects.values_list("row", flat=True)]
    assert (failed.state, sorted(rows)) == (SendState.SENDING, list(range(2, ROWS + 2)))
    assert "It has already been resumed" in client.post(f"{url}write-on/", follow=True).content.decode()


def test_what_its_audience_forbids_offers_no_way_on(client, failed):
    Preparation.objects.update(trouble="Its recipients were erased.", trouble_code="erased")
    page = client.get(f"/s/shop/sends/{failed.pk}/").content.decode()
    assert "write-on" not in page and "Cancel it, and duplicate it" in page


def test_a_cancelled_one_does_not_go_on(failed):
    cancel(failed, by=BY)
    assert not control.resume_writing(failed, by=BY)
    assert not AuditEvent.objects.filter(act="send.writing_resumed").exists()


def test_a_draft_whose_file_could_not_be_stored_goes_on_too():
    draft = a_draft(a_service(), people(ROWS))
    with pytest.raises(drafts.NotReady):
        drafts.totals_of(again(draft), limits=LIMITS)
    found = Preparation.objects.get()
    with refused('INTO "sms_audiencechunk"'):
        for _ in range(work.PATIENCE):
            tried(found)
    assert found.state == "failed"
    assert drafts.resume_preparing(again(draft))
    assert finished(draft).figures.rows == ROWS
    found.refresh_from_db()
    assert (found.state, found.tries) == ("ready", 0)


@pytest.mark.django_db(transaction=True)
def test_a_file_that_takes_long_to_open_is_opened_once(monkeypatch):
    """Longer than the lease: nobody else takes it meanwhile, and begins to open it too. Here, rows that were put right."""
    monkeypatch.setattr(lease, "LEASE", timedelta(seconds=1))
    monkeypatch.setattr(lease, "KEEP_EVERY", 0.1)
    draft = a_draft(a_service(), people(ROWS))
    finished(draft)
    mended = b"rejected row,Mobile number\n101,07720000001\n"
    found = drafts.add_corrections(again(draft), mended, name="m.csv", limits=LIMITS, user=None)
    opening, taken = threading.Event(), []

    def slow(execute, sql, params, many, context):
        if 'FROM "sms_audiencechunk"' in sql and not opening.is_set():
            opening.set()
            time.sleep(2.0)
        return execute(sql, params, many, context)

    def other() -> None:
        opening.wait(60)
        until = time.monotonic() + 1.8
        while time.monotonic() < until and not taken:
            if background.has_work():
                taken.append(True)
            time.sleep(0.05)
        connection.close()

    thread = threading.Thread(target=other)
    thread.start()
    with connection.execute_wrapper(slow):
        assert not background.work_on(found.pk, stopped=lambda: True)
    thread.join()
    assert opening.is_set() and not taken
