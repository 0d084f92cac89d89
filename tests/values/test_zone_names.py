"""Names of time zones that this machine lacks: numbers keep their clock, pages open and say so, and nothing goes out at a wrong hour."""

import importlib.util
import os
import shutil
import subprocess
import sys
import zoneinfo
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from portal.models import User
from sms.checks import zones_of_numbers_are_known
from sms.dispatch.last_look import may_disturb, statuses_of
from sms.models import ApprovalRules, Send, Service
from sms.values import quiet_hours, time_zones
from tests.support.partners import a_partner
from tests.support.people import a_cast
from tests.support.provider import Provider, accepted
from tests.support.sends import a_send

NOWHERE = "Mars/Phobos"


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
    known = time_zones.known() - {"Asia/Tokyo", "Japan"}
    monkeypatch.setattr(time_zones, "known", lambda: known)
    (error,) = zones_of_numbers_are_known()
    assert error.id == "sms.E003"
    assert "Asia/Tokyo" in error.msg
    monkeypatch.setattr(time_zones, "known", lambda: known | {"Japan"})
    assert zones_of_numbers_are_known() == [], "the same clock under another name"


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


def test_a_host_without_old_names_and_without_the_package_has_them_by_what_they_are_called_today(tmp_path):
    """And the other way round: a host whose names are old knows today's."""
    tzdata = Path(importlib.util.find_spec("tzdata").origin).parent / "zoneinfo"
    for name in ("Asia/Kolkata", "Asia/Yangon", "Europe/Kiev", "Europe/London"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((tzdata / name).read_bytes())
    script = (
        "import sys; sys.modules['tzdata'] = None\n"
        "from datetime import datetime\n"
        "from sms.values import quiet_hours, time_zones\n"
        "names = ('Asia/Calcutta', 'Asia/Rangoon', 'Europe/Kyiv', 'Mars/Phobos', 'Asia/Tokyo')\n"
        "print(*[time_zones.here(name) or '-' for name in names])\n"
        "print(*time_zones.of_number('+919812345678'), time_zones.read('europe/kyiv'), *time_zones.of_number('+81312345678'))\n"
        "print(quiet_hours.next_allowed(datetime.fromisoformat('2026-12-01T19:00Z'), ('Asia/Calcutta',), '21:00-08:00'))\n"
    )
    env = os.environ | {"PYTHONTZPATH": str(tmp_path)}
    said = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines() == [
        "Asia/Kolkata Asia/Yangon Europe/Kiev - -",
        "Asia/Kolkata Europe/Kiev Asia/Tokyo",  # unknown here, and not left out: quiet hours are held
        "2026-12-02 02:30:00+00:00",
    ]


@pytest.fixture
def without_tokyo(tmp_path, monkeypatch):
    """A machine that has no such zone, under no name."""
    whole = Path(importlib.util.find_spec("tzdata").origin).parent / "zoneinfo"
    shutil.copytree(whole, tmp_path / "zones", ignore=shutil.ignore_patterns("Tokyo", "Japan", "__pycache__"))
    kept = zoneinfo.TZPATH
    for name in ("tzdata", *(one for one in sys.modules if one.startswith("tzdata."))):
        # a part that was imported before would be found by itself
        monkeypatch.setitem(sys.modules, name, None)
    _other_zones([str(tmp_path / "zones")])
    yield
    monkeypatch.undo()
    _other_zones(kept)


def _other_zones(path) -> None:
    zoneinfo.reset_tzpath(path)
    zoneinfo.ZoneInfo.clear_cache()
    for kept in (time_zones.known, time_zones._zones, time_zones._names, quiet_hours._calendar):
        kept.cache_clear()


@pytest.mark.django_db
@pytest.mark.usefixtures("without_tokyo")
def test_numbers_of_a_zone_that_is_unknown_wait_and_the_plan_and_the_page_say_why():
    cast = a_cast(waiting=True)
    quiet(cast)
    fields = {
        "sender": cast.service.senders.get().pk,
        "text": "Hi",
        "pasted": "+81 90 1234 5678",
        "respect_quiet_hours": "on",
        "when": "now",
    }
    review = cast["composer"].post("/s/shop/compose/", fields | {"review": "1"})
    assert "does not know the time zone Asia/Tokyo" in cast["composer"].get(review.url).text
    sent = cast["composer"].post(review.url)
    provider = Provider(accepted)
    provider.dispatch()
    assert provider.bodies == []
    send = Send.objects.latest("pk")
    assert set(send.messages.values_list("state", flat=True)) == {"pending"}
    assert "does not know the time zone Asia/Tokyo" in cast["composer"].get(sent.url).text


@pytest.mark.django_db
def test_a_send_that_waits_for_an_unknown_zone_says_so_on_its_page_and_in_the_api():
    cast = a_cast(waiting=True)
    quiet(cast)
    send = a_send(cast.service, 2)
    send.messages.update(zone=NOWHERE)
    Provider(accepted).dispatch()
    assert f"does not know the time zone {NOWHERE}" in cast["composer"].get(f"/s/shop/sends/{send.pk}/").text
    answer = a_partner(service=cast.service)[1].get(f"sends/{send.pk}").json()
    (wait,) = answer["waits"]
    assert wait["code"] == "quiet_hours" and f"does not know the time zone {NOWHERE}" in wait["detail"]


@pytest.mark.django_db
def test_commands_approvals_and_stored_times_say_so_too(tmp_path):
    cast = a_cast(waiting=True)
    Service.objects.update(time_zone=NOWHERE)
    service = Service.objects.get(pk=cast.service.pk)
    numbers = tmp_path / "numbers.csv"
    numbers.write_text("mobile\n+447700900001\n")
    with pytest.raises(
        CommandError, match=r"no time zone that this machine knows. Give the time with its offset"
    ):
        call_command(
            "send", service="shop", sender="SHOP", text="Hi", audience=numbers, at=datetime(2090, 1, 1, 9)
        )
    ApprovalRules.objects.create(service=service, outside_hours=1, hours="00:00-23:59")
    send = a_send(service, 1)
    assert "any hour is outside the ordinary ones" in str(send.approvals.get().rules)
    Send.objects.filter(pk=send.pk).update(time_zone=NOWHERE)
    assert "is shown in UTC" in cast["composer"].get(f"/s/shop/sends/{send.pk}/").text


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
    User.objects.update(time_zone=NOWHERE)
    call_command("check", databases=["default"])
    said = capsys.readouterr().err
    assert f"{User.objects.count()} of the people chose the time zone 'Mars/Phobos'" in said
