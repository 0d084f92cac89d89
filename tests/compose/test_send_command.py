"""`manage.py send`: what its options make of a send. The journeys run it in a process of its own."""

import json
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from sms.compose import background, drafts
from sms.management.commands import send as command
from sms.models import Lane, Preparation, Resend, Send
from tests.support.large_audiences import LIMITS, a_draft, again, people
from tests.support.sends import a_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def audience(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("number,name\n+447710000001,Ada\n07710 000002,Bob\n")
    return str(path)


def test_lane_policy_and_expiry_reach_the_send(audience, capsys):
    a_service()
    arguments = ["--service=shop", "--sender=SHOP", "--text=Your code", f"--audience={audience}", "--json"]
    arguments += ["--lane=urgent", "--if-unconfirmed=always", "--expires=2199-01-01T00:00Z", "--at-night-too"]
    call_command("send", *arguments)
    made = Send.objects.get()
    assert (made.lane, made.resend, made.quiet_hours) == (Lane.URGENT, Resend.ALWAYS, "")
    assert made.expires_at == datetime(2199, 1, 1, tzinfo=UTC)
    assert json.loads(capsys.readouterr().out)["recipients"] == 2


def test_it_says_how_many_rows_were_left_out_and_why(audience, capsys):
    service = a_service()
    path = Path(audience)
    path.write_text(f"{path.read_text()}+447710000001,Again\n+447710000001,Again\n+447710000003,\n")
    call_command("send", "--service=shop", "--sender=SHOP", "--text=Hi $(name)", f"--audience={audience}")
    out = capsys.readouterr().out
    assert f"Send {service.sends.get().pk}: 2 recipients, 3 rejected" in out
    assert "2 rows repeat an earlier number.\n  1 row has no value for $(name).\n" in out


def test_one_recipient_is_no_recipients(audience, capsys):
    a_service()
    Path(audience).write_text("number\n+447710000001\n")
    call_command("send", "--service=shop", "--sender=SHOP", "--text=Hi", f"--audience={audience}")
    assert ": 1 recipient, 0 rejected; 1 pending (" in capsys.readouterr().out


def test_it_warns_of_what_looks_like_a_placeholder_of_another_kind(audience, capsys):
    a_service()
    call_command(
        "send", "--service=shop", "--sender=SHOP", "--text=Hi {{title}}, ${x}", f"--audience={audience}"
    )
    told = capsys.readouterr().err
    assert "Warning: “{{title}}” would be sent as it stands. Write placeholders like $(title)." in told
    assert "“${x}”" in told
    call_command("send", "--service=shop", "--sender=SHOP", "--text=Hi $(name)", f"--audience={audience}")
    assert "Warning" not in capsys.readouterr().err


def test_always_without_an_expiry_says_what_is_missing(audience):
    a_service()
    arguments = [
        "--service=shop",
        "--sender=SHOP",
        "--text=Hi",
        f"--audience={audience}",
        "--if-unconfirmed=always",
    ]
    with pytest.raises(CommandError, match="expires_at: .*needs an expiry"):
        call_command("send", *arguments)
    assert not Send.objects.exists()


@pytest.mark.parametrize(
    ("written", "due"),
    [
        ("2199-07-01T09:00", "2199-07-01T08:00+00:00"),  # summer time
        ("2199-03-31T01:30", "2199-03-31T01:00+00:00"),  # skipped: the moment of the change
        ("2199-10-27T01:30", "2199-10-27T00:30+00:00"),  # twice: the first
        ("2199-07-01T09:00+02:00", "2199-07-01T07:00+00:00"),
    ],
)
def test_a_time_without_offset_is_the_services_wall_clock(audience, written, due):
    a_service(time_zone="Europe/London")
    arguments = ["--service=shop", "--sender=SHOP", "--text=Hi", f"--audience={audience}", f"--at={written}"]
    call_command("send", *arguments)
    assert Send.objects.get().due_at == datetime.fromisoformat(due)
    assert timezone.is_aware(Send.objects.get().due_at)


# --- --wait with a large file -----------------------------------------------------------------------------------------------


def slowly(pause: float) -> threading.Thread:
    """As a process that prepares on a slow machine, once there is a send: whatever waits, a block in `pause` seconds."""

    def look(execute, sql, params, many, context):
        if 'INTO "sms_audiencechunk"' in sql:
            time.sleep(pause)
        return execute(sql, params, many, context)

    def work() -> None:
        until = time.monotonic() + 60
        try:
            while not Send.objects.exists() and time.monotonic() < until:
                time.sleep(0.05)
            with connection.execute_wrapper(look):
                background.run(stopped=lambda: time.monotonic() > until)
        finally:
            connection.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "many.csv"
    path.write_bytes(people(5_100, wide=1))
    return ["--service=shop", "--sender=SHOP", "--text=Hello", f"--audience={path}", "--wait", "--json"]


@pytest.mark.django_db(transaction=True)
def test_it_waits_for_a_large_one_as_long_as_anything_moves(large, capsys, monkeypatch):
    """Somebody else's file goes first, so that nothing of its own moves for longer than it would wait."""
    monkeypatch.setattr(command, "STILL", 3.0)  # its turn comes after six blocks, in more than that
    with pytest.raises(drafts.NotReady):
        drafts.totals_of(again(a_draft(a_service(), people(5_000))), limits=LIMITS)
    worker = slowly(0.8)
    call_command("send", *large)
    worker.join(60)
    told = capsys.readouterr()
    made = json.loads(told.out)
    assert (made["state"], made["recipients"]) == ("sending", Send.objects.get().recipients)
    assert made["recipients"] == made["states"]["pending"] == 5_044
    assert "Writing the messages: 0 of 5,100 rows." in told.err
    assert "nothing moved" not in told.err


@pytest.mark.django_db(transaction=True)
def test_it_gives_up_where_no_worker_prepares_and_says_how_far_it_is(large, capsys, monkeypatch):
    monkeypatch.setattr(command, "STILL", 0.5)
    a_service()
    call_command("send", *large)
    told = capsys.readouterr()
    assert json.loads(told.out)["state"] == "preparing"
    assert "0 of 5,100 rows, and nothing moved" in told.err


@pytest.mark.django_db(transaction=True)
def test_one_that_failed_is_not_waited_for(large, capsys):
    a_service()

    def fail() -> None:
        over, until = {"state": "failed", "trouble": "The disk is full."}, time.monotonic() + 60
        while not Preparation.objects.update(**over) and time.monotonic() < until:
            time.sleep(0.05)
        connection.close()

    thread = threading.Thread(target=fail, daemon=True)
    thread.start()
    call_command("send", *large)
    thread.join(60)
    told = capsys.readouterr().err
    assert "The disk is full. Nothing of it was posted." in told
    assert "nothing moved" not in told
