"""Blocks of an archive that may not leave the ledger: what changed, or is held, since the file was written."""

import pytest
from django.utils import timezone

from sms.compliance import archive, retention
from sms.models import Archive, ArchiveBlock
from sms.reports import facts
from tests.support.past_sends import a_past_send, an_old_service, no_rest, told
from tests.support.sends import BY

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(state_folder):
    return state_folder


@pytest.mark.parametrize("stays", [[], [0], [1], [2], [0, 2], [1, 2], [0, 1, 2]])
def test_a_block_that_stays_is_taken_out_of_the_file(folder, stays):
    service = an_old_service(keep_messages=10)
    send = a_past_send(service, 6, days=15, ends=("delivered",))
    ids = list(send.messages.order_by("pk").values_list("pk", flat=True))
    blocks = [ids[:2], ids[2:4], ids[4:]]
    made = archive.make(service, blocks, posted_until=timezone.now(), gone=archive.StripRule(), rest=no_rest)
    for number in stays:
        told(send.messages.get(pk=blocks[number][0]), service, at=timezone.now())
    left = [pk for number in stays for pk in blocks[number]]
    assert archive.move(made, rest=no_rest) == 6 - len(left)
    assert list(send.messages.order_by("pk").values_list("pk", flat=True)) == left
    assert [row.id for row in archive.every(service)] == [pk for pk in ids if pk not in left]
    assert list(Archive.objects.values_list("messages", flat=True)) == [6 - len(left)] * (len(stays) < 3)
    assert list(archive.store.names()) == list(Archive.objects.values_list("name", flat=True))
    assert [one.broken for one in archive.verify(service.pk)] == [""] * (len(stays) < 3)
    ends = [block.offset + block.length for block in ArchiveBlock.objects.order_by("number")]
    assert [path.stat().st_size for path in folder.rglob("*.tda")] == ends[-1:], "nothing of what stayed"
    assert facts.compare()[1] is None


def test_a_send_that_is_held_while_its_archive_is_written_stays_in_the_ledger(folder):
    service = an_old_service(keep_messages=10)
    send = a_past_send(service, 2, days=15, ends=("delivered",))
    ids = list(send.messages.order_by("pk").values_list("pk", flat=True))
    made = archive.make(service, [ids], posted_until=timezone.now(), gone=archive.StripRule(), rest=no_rest)
    retention.hold(send, because="Asked by the court", by=BY)
    assert archive.move(made, rest=no_rest) == 0
    assert list(send.messages.order_by("pk").values_list("pk", flat=True)) == ids
    assert not Archive.objects.exists()
    assert list(folder.rglob("*.tda")) == []
