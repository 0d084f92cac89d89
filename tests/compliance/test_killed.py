"""The archiving process may be killed anywhere: no message is lost or in two places, and no unknown file is left."""

from importlib import import_module
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from sms.compliance import archive, erasure, retention
from sms.models import Archive, Erasure, Message, Service
from sms.reports import facts
from sms.sends.messages import messages_of
from tests.compliance.scan import found
from tests.support.killing import killed_at
from tests.support.past_sends import a_past_send, an_old_service, no_rest, run
from tests.support.sends import BY

erasing = import_module("sms.compliance.erasure.run")

pytestmark = pytest.mark.django_db(transaction=True)
POINTS = (
    "archive_named",
    "archive_written",
    "archive_listed",
    "archive_moving",
    "archive_moving:2",
    "archive_moved",
)


@pytest.fixture(autouse=True)
def folder(state_folder, monkeypatch):
    monkeypatch.setattr(archive, "block_size", lambda: 2)
    return state_folder


def places(service: Service) -> tuple[list[int], list[int]]:
    """Ids in the ledger, and in archives."""
    here = list(Message.objects.filter(send__service=service).order_by("pk").values_list("pk", flat=True))
    return here, [row.id for row in archive.every(service)]


def test_a_death_anywhere_loses_nothing_and_keeps_nothing_twice(folder):
    for point in POINTS:
        service = an_old_service(keep_messages=10)
        send = a_past_send(service, 5, days=20)
        ids = list(send.messages.order_by("pk").values_list("pk", flat=True))
        assert killed_at(point, lambda service=service: run(service)), point
        here, away = places(service)
        assert sorted(here + away) == ids, point
        assert [one.pk for one in messages_of(send).messages] == ids, point
        assert facts.compare()[1] is None, point
        run(service)
        here, away = places(service)
        assert (here, away) == ([], ids), point
        assert facts.compare()[1] is None, point
        assert [one.broken for one in archive.verify(service.pk)] == [""], point
        assert [name for name in archive.store.names() if name.startswith(f"{service.slug}/")] == list(
            Archive.objects.filter(service=service, spare="").values_list("name", flat=True)
        ), point
        assert Archive.objects.filter(service=service).count() == 1, point
    assert archive.unknown_files() == []


def test_a_death_while_an_archive_is_rewritten_leaves_one_that_counts():
    service = an_old_service(keep_messages=10)
    send = a_past_send(service, 5, days=20)
    run(service)
    Service.objects.filter(pk=service.pk).update(keep_bodies=12)
    assert killed_at("archive_swapped", lambda: run(service))
    ids = [one.pk for one in messages_of(send).messages]
    assert len(ids) == 5
    run(service)
    assert {row.text for row in archive.every(service)} == {""}
    assert archive.unknown_files() == []
    assert Archive.objects.get().spare == ""
    left = retention.forecast(service, now=timezone.now())
    assert not (any(left.sends.values()) or left.archives or any(left.others.values()))
    assert not no_rest()


def test_an_erasure_that_was_killed_is_gone_on_with_and_leaves_no_byte(folder):
    """On SQLite nothing is left in the file either, since what is deleted is overwritten."""
    service = an_old_service(keep_messages=30)
    a_past_send(service, 3, days=50, content="Hi $(number)")
    run(service)
    Service.objects.filter(pk=service.pk).update(keep_messages=None)
    a_past_send(service, 3, days=20, content="Hi $(number)")
    asked = erasure.ask(service, "+447710000000", reason="r", by=BY)
    for point in ("erasing:2", "archive_swapped", "erasing:4", "erasing:9"):
        assert killed_at(point, lambda: erasure.perform(Erasure.objects.get(), folder=folder), erasing), point
    assert Erasure.objects.get().state == "running"
    Archive.objects.update(spare="left/behind.tda")  # whoever wrote this was killed, too
    assert erasure.perform(Erasure.objects.get(), folder=folder)
    asked.refresh_from_db()
    assert asked.certificate["left"] == 0
    assert asked.certificate["places"][2]["changed"] == 1, "what the killed ones did is on the certificate"
    assert found("+447710000000", service, folder) == []
    assert facts.compare()[1] is None
    if connection.vendor == "sqlite":
        file = Path(connection.settings_dict["NAME"])
        assert b"7710000000" not in file.read_bytes()
        assert b"7710000002" in file.read_bytes(), "and what is looked for can be found there"
