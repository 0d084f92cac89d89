"""Files of this host: what waits for a person loses the number and keeps a checksum that fits; files of other programs are named only."""

import gzip
import json
from pathlib import Path

import pytest
from django.utils import timezone

from sms.compliance import disclosure, erasure
from sms.compliance.erasure import waiting_files
from sms.inbound.optouts import IncomingPost, inbound_spool
from sms.inbound.receipts import Incoming, spool
from sms.models import InboundMessage, Receipt
from tests.support.receipts import receipt
from tests.support.sends import BY, a_service

pytestmark = pytest.mark.django_db
NUMBER, OTHER = "+447710000000", "+447710000001"


@pytest.fixture
def subject():
    return erasure.Subject(a_service(), NUMBER)


def test_other_files_of_the_folder_are_named_on_the_certificate_and_never_changed(subject, state_folder):
    contents = {
        "logs/shell.log": f"é to 07710 000 000, {OTHER}\n".encode(),
        "shell.log.1.gz": gzip.compress(f"to {NUMBER}\n".encode()),
        "copy.db": b"SQLite format 3\0 447710000000",
        "audit/checkpoints.jsonl": f"planted {NUMBER}\n".encode(),
        "torn.gz": b"no gzip",
    }
    contents_of_others = {"other.log": f"to {OTHER}, and order {NUMBER[3:]}1\n".encode(), "empty.log": b""}
    for name, content in (contents | contents_of_others).items():
        path = state_folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    asked = erasure.ask(subject.service, NUMBER, reason="r", by=BY)
    assert erasure.perform(asked, folder=state_folder)
    asked.refresh_from_db()
    (place,) = (one for one in asked.certificate["places"] if one["place"].startswith("logs and other"))
    assert place["note"].startswith(f"Found in {', '.join(sorted(contents, key=Path))}: delete")
    assert (place["changed"], place["left"], asked.certificate["left"]) == (0, 5, 5)
    for name, content in (contents | contents_of_others).items():
        assert (state_folder / name).read_bytes() == content


def test_what_waits_for_the_database_is_brought_in_and_erased_there(subject, state_folder):
    service, now = subject.service, timezone.now()
    raw = receipt("one", info={"destination": NUMBER[1:]})
    spool.append([Incoming(service.pk, raw, now)])
    said = json.dumps({"oa": NUMBER[1:], "da": "SHOP", "message": "Hi", "msgid": "one"}).encode()
    inbound_spool.append([IncomingPost(service.pk, said, now)])
    assert (spool.waiting()[0], inbound_spool.waiting()[0]) == (1, 1)
    asked = erasure.ask(service, NUMBER, reason="r", by=BY)
    assert erasure.perform(asked, folder=state_folder)
    asked.refresh_from_db()
    assert asked.certificate["left"] == 0
    assert (spool.waiting(), inbound_spool.waiting()) == ((0, 0), (0, 0))
    assert NUMBER[3:].encode() not in bytes(Receipt.objects.get(service=service).raw)
    assert NUMBER[3:].encode() not in bytes(InboundMessage.objects.get(service=service).raw)


def test_what_waits_for_the_database_is_given_out_too(subject, state_folder):
    service, now = subject.service, timezone.now()
    spool.append([Incoming(service.pk, receipt("one", info={"destination": NUMBER[1:]}), now)])
    said = json.dumps({"oa": NUMBER[1:], "da": "SHOP", "message": "Hi", "msgid": "one"}).encode()
    inbound_spool.append([IncomingPost(service.pk, said, now)])
    held = repr(disclosure.held_about(service, NUMBER))
    assert Receipt.objects.filter(service=service).count() == 1
    assert InboundMessage.objects.filter(service=service).count() == 1
    assert "Hi" in held


def test_what_was_kept_for_a_person_has_checksums_that_fit(subject, state_folder):
    now, key = timezone.now(), subject.service.correlation_key
    for one in ("one", "two"):
        raw = receipt(one, info={"destination": NUMBER[1:] if one == "one" else OTHER[1:]})
        spool.append([Incoming.read(raw, service_id=subject.service.pk, key=key, received_at=now)])
    for path in spool.folder.glob("*.spool"):
        with path.open("ab") as file:
            file.write(b"torn 447710000000, and more")
        path.replace(path.with_suffix(".kept"))
    assert waiting_files.erase(subject) == 1
    assert waiting_files.left(subject) == 0
    (kept,) = spool.folder.glob("*.kept")
    records, damaged = spool.format.read(kept.read_bytes())
    assert [NUMBER[3:].encode() in one.raw for one in records] == [False, False]
    assert OTHER[1:].encode() in records[1].raw
    assert damaged == len(b"torn 447710000000, and more")
    assert b"torn 000000000000, and more" in kept.read_bytes()
