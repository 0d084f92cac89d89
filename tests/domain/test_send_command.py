"""`manage.py send`: what its options make of a send. The journeys run it in a process of its own."""

import json
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from sms.models import Lane, Resend, Send
from tests.domain.desk import a_service

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
