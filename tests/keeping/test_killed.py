"""Whoever archives may be killed anywhere: no message is lost, none is in two places, and no file is left that nobody knows."""

import pytest
from django.utils import timezone

from sms import archive, desk, facts, retention
from sms.models import Archive, Message, Service
from tests.keeping.killing import killed_at
from tests.keeping.made import a_past_send, an_old_service, no_rest, run

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
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(archive.store, "folder", tmp_path)
    monkeypatch.setattr(archive, "block_size", lambda: 2)
    archive.read.opened.forget()
    return tmp_path


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
        assert [one.pk for one in desk.messages_of(send).messages] == ids, point
        assert facts.compare()[1] is None, point
        run(service)
        here, away = places(service)
        assert (here, away) == ([], ids), point
        assert facts.compare()[1] is None, point
        assert [one.broken for one in archive.verify(service.pk)] == [""], point
        assert len([name for name in archive.store.names() if name.startswith(f"{service.slug}/")]) == 1, (
            point
        )
    assert archive.unknown_files() == []


def test_a_death_while_an_archive_is_written_anew_leaves_one_that_counts():
    service = an_old_service(keep_messages=10)
    send = a_past_send(service, 5, days=20)
    run(service)
    Service.objects.filter(pk=service.pk).update(keep_bodies=12)
    assert killed_at("archive_swapped", lambda: run(service))
    ids = [one.pk for one in desk.messages_of(send).messages]
    assert len(ids) == 5
    run(service)
    assert {row.text for row in archive.every(service)} == {""}
    assert archive.unknown_files() == []
    assert Archive.objects.get().spare == ""
    assert retention.forecast(service, now=timezone.now()).nothing
    assert not no_rest()
