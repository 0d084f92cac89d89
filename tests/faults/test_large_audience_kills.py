"""Kill -9 of the process that prepares a large audience, wherever it is: the next one continues, and every row is there once."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.utils import timezone

from sms.audiences import storage
from sms.compose import background, drafts
from sms.compose.approval import fingerprint
from sms.compose.create import create
from sms.models import ApprovalRequest, AuditEvent, Message, Preparation, Slice
from sms.reports import facts
from tests.support.approvals import a_careful_service
from tests.support.killing import killed_at
from tests.support.large_audiences import LIMITS, a_draft, again, finished, large_order, people, reading_of
from tests.support.sends import BY, a_service

pytestmark = pytest.mark.django_db(transaction=True)
CHECK = import_module("sms.compose.background.check")
MODULES = (
    import_module("sms.compose.background.read"),
    CHECK,
    import_module("sms.compose.background.expand"),
)
ROWS = 2_500
LATER = {"stopped": lambda: False}


def killed(point: str) -> None:
    """A process dies there; its lease runs out."""
    assert killed_at(point, lambda: background.run(**LATER), *MODULES), point
    Preparation.objects.exclude(owner="").update(leased_until=timezone.now() - timedelta(seconds=1))


def test_a_killed_import_goes_on_and_every_row_is_there_once():
    draft = a_draft(a_service(), people(ROWS, wide=80))
    work = reading_of(draft)
    for point in ("rows_uncommitted", "rows_committed", "rows_uncommitted:2", "rows_committed:1"):
        killed(point)
        version = again(draft).version
        there = list(version.chunks.values_list("place", flat=True))
        assert there == list(range(len(there))) and version.ready_at is None
    background.run(**LATER)
    work.refresh_from_db()
    blocks = list(storage.StoredAudience(again(draft).version).blocks())
    rows = [one.row for block in blocks for one in (*block.recipients, *block.rejects)]
    assert sorted(rows) == list(range(2, ROWS + 2)) and work.rows == ROWS


def test_a_killed_check_goes_on_and_its_figures_are_those_of_one_that_was_left_alone(monkeypatch):
    monkeypatch.setattr(CHECK, "STORE_EVERY", 0.0)  # seconds between two commits: every block is one
    service = a_service()
    draft, twin = (a_draft(service, people(ROWS, wide=80)) for _ in range(2))
    wanted = finished(twin).figures
    reading_of(draft)
    background.run(**LATER)
    assert drafts.totals_of(again(draft), limits=LIMITS).figures is None
    work, stood = again(draft).preparation, []
    for point in ("check_uncommitted", "check_committed", "check_uncommitted:2", "check_ending"):
        killed(point)
        work.refresh_from_db()
        assert (work.state, bytes(work.result)) == ("waiting", b"")
        stood.append(work.rows)
    assert stood[0] == 0 and stood == sorted(set(stood)), "each goes on where the last one stopped"
    background.run(**LATER)
    assert drafts.totals_of(again(draft), limits=LIMITS).figures == wanted
    work.refresh_from_db()
    assert (work.state, work.rows) == ("ready", ROWS)


def test_a_killed_expansion_asks_its_approvers_once():
    service = a_careful_service()
    send = create(large_order(service, 1_500), by=BY)
    for point in ("messages_uncommitted:2", "opening"):
        killed(point)
        assert not ApprovalRequest.objects.exists() and not Slice.objects.exists()
    background.run(**LATER)
    send.refresh_from_db()
    request = send.approvals.get()
    assert (send.state, request.fingerprint) == ("awaiting", fingerprint.of_send(send.pk).digest)
    assert AuditEvent.objects.filter(act="send.approval_asked").count() == 1


def test_a_killed_expansion_goes_on_and_every_message_is_there_once():
    draft = a_draft(a_service(), people(ROWS, wide=80))
    finished(draft)
    send = drafts.send_draft(again(draft), by=BY, limits=LIMITS)
    deaths = ("messages_uncommitted", "messages_committed", "messages_uncommitted:2", "opening")
    for point in deaths:
        killed(point)
        assert not Slice.objects.exists(), f"nothing to lease after {point}"
        assert send.counts() == {"pending": count} if (count := send.messages.count()) else True
    background.run(**LATER)
    send.refresh_from_db()
    rows = [*send.messages.values_list("row", flat=True), *send.rejects.values_list("row", flat=True)]
    assert sorted(rows) == list(range(2, ROWS + 2))
    assert (send.state, send.counts()) == ("sending", {"pending": send.recipients})
    covered = sum(
        Message.objects.filter(send=send, pk__range=(one.first_id, one.last_id)).count()
        for one in Slice.objects.all()
    )
    assert covered == send.recipients and facts.compare()[1] is None


def test_up_starts_a_process_that_does_it(prepared_database_url, var_dir, tmp_path):
    """`manage.py dispatch` alone, on a database of its own: a file that `manage.py send` takes is written out and sent on."""
    import subprocess
    import sys

    from tests.support.processes import ROOT, environment

    env = environment(var_dir, prepared_database_url) | {"PUBLIC_URL": "http://127.0.0.1:9"}
    paused = "paused_at='2026-01-01T00:00Z', paused_because='a test'"
    made = f"from tests.support.sends import a_service; a_service({paused})"
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "shell", "--no-imports", "-c", made], cwd=ROOT, env=env, check=True)
    file = tmp_path / "people.csv"
    file.write_bytes(people(6_000, wide=1))
    look = (
        "import time; from sms.models import Send; send = Send.objects.get(); until = time.monotonic() + 60\n"
        "while send.state == 'preparing' and time.monotonic() < until:\n    time.sleep(0.1); send.refresh_from_db()\n"
        "print(send.state, send.recipients, send.counts())"
    )
    asked = ["send", "--service=shop", "--sender=SHOP", "--text=Hello", f"--audience={file}"]
    subprocess.run([*manage, *asked], cwd=ROOT, env=env, check=True)
    dispatcher = subprocess.Popen([*manage, "dispatch", "--seconds", "90"], cwd=ROOT, env=env)
    try:
        told = subprocess.run(
            [*manage, "shell", "--no-imports", "-c", look],
            cwd=ROOT,
            env=env,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    finally:
        dispatcher.terminate()
        dispatcher.wait(60)
    assert told.split() == "sending 5934 {'pending': 5934}".split()
