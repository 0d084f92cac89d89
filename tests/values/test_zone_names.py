"""Names of time zones that this machine lacks: numbers keep their clock, pages open and say so, and nothing goes out at a wrong hour."""

import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from django.core.management import call_command

from sms.checks import zones_of_numbers_are_known
from sms.dispatch.last_look import may_disturb, statuses_of
from sms.models import Send, Service
from sms.values import time_zones
from tests.support.people import a_cast
from tests.support.provider import Provider, accepted
from tests.support.sends import a_send

NOWHERE = "Mars/Phobos"
OLD = (
    "Asia/Calcutta",
    "Asia/Katmandu",
    "Asia/Rangoon",
    "America/Buenos_Aires",
    "America/Godthab",
    "Africa/Asmera",
)


def quiet(cast) -> None:
    cast.service.quiet_hours = "21:00-08:00"
    cast.service.save()


@pytest.mark.parametrize("path", ["", "/nowhere"])
def test_old_names_are_known_on_a_host_that_lacks_them(path):
    """Debian 13 without tzdata-legacy has none of these; a host without any database has none at all."""
    script = (
        "from sms.values import time_zones\n"
        "print(time_zones.unknown_of_numbers(), *time_zones.of_number('+919812345678'))"
    )
    env = os.environ | ({"PYTHONTZPATH": path} if path else {})
    said = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["[]", "Asia/Calcutta"]


def test_a_name_of_the_number_table_that_is_unknown_stops_the_start(monkeypatch):
    assert zones_of_numbers_are_known() == []
    known = time_zones.known() - {*OLD}
    monkeypatch.setattr(time_zones, "known", lambda: known)
    (error,) = zones_of_numbers_are_known()
    assert error.id == "sms.E003"
    assert "Asia/Calcutta" in error.msg


@pytest.mark.django_db
@pytest.mark.parametrize(
    "page", ["", "sends/", "calendar/", "compose/", "reports/", "messages/", "settings/limits/"]
)
@pytest.mark.parametrize("whose", ["service", "person"])
def test_pages_open_and_say_so_where_a_stored_zone_is_unknown(page, whose):
    cast = a_cast(waiting=True)
    quiet(cast)
    a_send(cast.service, 1)
    if whose == "service":
        Service.objects.update(time_zone=NOWHERE)
    else:
        type(cast.users["admin"]).objects.update(time_zone=NOWHERE)
    answer = cast["admin"].get(f"/s/shop/{page}")
    assert answer.status_code == 200
    assert f"does not know the time zone {NOWHERE}" in answer.text


@pytest.mark.django_db
def test_a_send_page_and_its_plan_open_too():
    cast = a_cast(waiting=True)
    Service.objects.update(time_zone=NOWHERE, quiet_hours="21:00-08:00")
    fields = {
        "sender": cast.service.senders.get().pk,
        "text": "Hi",
        "pasted": "07700 900123",
        "country": "GB",
        "when": "now",
    }
    review = cast["composer"].post("/s/shop/compose/", fields | {"review": "1"})
    assert review.status_code == 302
    assert cast["composer"].get(review.url).status_code == 200
    sent = cast["composer"].post(review.url)
    assert cast["composer"].get(sent.url).status_code == 200


@pytest.mark.django_db
def test_nothing_goes_out_at_a_wrong_hour_where_the_zone_is_unknown():
    cast = a_cast(waiting=True)
    quiet(cast)
    send = a_send(cast.service, 2)
    assert send.quiet_hours
    send.messages.update(zone=NOWHERE)
    provider = Provider(accepted)
    provider.dispatch()
    assert provider.bodies == []
    assert set(send.messages.values_list("state", flat=True)) == {"pending"}
    status = statuses_of([send.pk])[send.pk]
    message = send.messages.first()
    now = datetime(2026, 12, 1, 12, tzinfo=UTC)
    assert may_disturb(message, status, now=now) > now
    assert Send.objects.get(pk=send.pk).state != "finished"


@pytest.mark.django_db
def test_a_stored_zone_that_is_unknown_is_a_warning_of_the_database_check(capsys):
    a_cast(waiting=True)
    call_command("check", databases=["default"])
    assert "sms.W002" not in capsys.readouterr().err
    Service.objects.filter(slug="shop").update(time_zone=NOWHERE)
    call_command("check", databases=["default"])
    assert "The service shop is in the time zone 'Mars/Phobos'" in capsys.readouterr().err
