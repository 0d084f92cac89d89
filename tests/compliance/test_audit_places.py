"""Checkpoints at a second place: delivered and tried again, said where they do not arrive, and compared with what stands there."""

import json
import shutil
import socket
import ssl
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import urlsplit

import boto3
import httpx
import pytest
import time_machine
from django.core import mail
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from portal.models import Role
from sms.compliance import audit
from sms.compliance.audit import courier, elsewhere
from sms.compliance.audit.bucket import LockedBucket
from sms.compliance.audit.checkpoint import read_lines
from sms.compliance.audit.folder import BEGUN
from sms.models import Actor, AuditCheck, CheckpointPlace
from sms.models.audit import audit as record
from sms.models.sql import audit_guard
from sms.operations import faults
from tests.support.audit_tampering import SLUG, sql
from tests.support.internet import Authority
from tests.support.jobs import run_job
from tests.support.object_storage import VARIABLES, s3_server
from tests.support.people import signed_in
from tests.support.sends import a_service

pytestmark = pytest.mark.django_db
BY = Actor("user", "1", "ada@example.test", "page", "192.0.2.7")
PLACE = "s3://checkpoints/desk"


@pytest.fixture
def folder(tmp_path, settings):
    """A host that has worked for an hour."""
    settings.VAR_DIR = tmp_path
    for slug in (SLUG, SLUG, "other"):
        record("send.created", by=BY, service=slug, noun="send", key=1)
    audit.ChainSealer(tmp_path / "audit").run()
    return tmp_path / "audit"


@pytest.fixture(scope="module")
def storage():
    with s3_server() as address:
        yield address


@pytest.fixture
def s3(storage, monkeypatch):
    """A bucket with object lock, and nothing in it."""
    for name, value in (VARIABLES | {"AWS_ENDPOINT_URL_S3": storage}).items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="checkpoints", ObjectLockEnabledForBucket=True)
    yield client
    httpx.post(f"{storage}/moto-api/reset")


def verified(**options: object) -> str:
    try:
        call_command("verify_audit", **options)
    except CommandError as problem:
        return str(problem)
    return ""


def cut_off() -> None:
    """The end of one chain and this host's folder, by somebody with SQL and the disk; the sealer then begins a new one."""
    audit_guard.remove(connection)
    sql("DELETE FROM sms_auditevent WHERE service_slug = %s OR act = %s", SLUG, BEGUN)
    sql("DELETE FROM sms_auditseal WHERE service_slug IN (%s, '')", SLUG)
    audit_guard.install(connection)


# --- a bucket with object lock ------------------------------------------------------------------------------------------
def test_a_delivery_is_locked_and_outlives_what_is_written_over_it(folder, s3):
    audit.CheckpointCourier([PLACE]).run()
    (stored,) = s3.list_objects_v2(Bucket="checkpoints")["Contents"]
    assert stored["Key"].startswith(f"desk/{datetime.now(UTC):%Y/%m/}")
    head = s3.head_object(Bucket="checkpoints", Key=stored["Key"])
    assert head["ObjectLockMode"] == "COMPLIANCE"
    days = head["ObjectLockRetainUntilDate"] - datetime.now(UTC)
    assert timedelta(days=399) < days <= timedelta(days=400)
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.delete_object(Bucket="checkpoints", Key=stored["Key"], VersionId=head["VersionId"])
    (before,) = LockedBucket.at(urlsplit(PLACE)).read(now=datetime.now(UTC))
    s3.put_object(Bucket="checkpoints", Key=stored["Key"], Body=b"nothing")
    s3.delete_object(Bucket="checkpoints", Key=stored["Key"])
    (after,) = LockedBucket.at(urlsplit(PLACE)).read(now=datetime.now(UTC))
    assert (after.text, before.tampered_at) == (before.text, None)
    assert after.tampered_at is not None
    said = {one.service: one.number for one in read_lines(after.text.splitlines()).checkpoints}
    assert said == {"": 1, "other": 1, SLUG: 2}


def test_what_is_rolled_back_together_with_the_folder_is_known_to_the_bucket(folder, s3, settings, capsys):
    settings.AUDIT_CHECKPOINTS_TO = [PLACE]
    audit.CheckpointCourier([PLACE]).run()
    assert verified() == ""
    cut_off()
    shutil.rmtree(folder)
    audit.ChainSealer(folder).run()
    assert "chains do not hold" in verified()
    assert f"{SLUG}: row 1 is the first that does not hold" in capsys.readouterr().err
    settings.AUDIT_CHECKPOINTS_TO = []
    assert verified() == "", "nothing on this host knows it any more"


def test_the_nightly_check_compares_with_the_bucket(folder, s3, settings):
    settings.AUDIT_CHECKPOINTS_TO = [PLACE]
    audit.CheckpointCourier([PLACE]).run()
    cut_off()
    shutil.rmtree(folder)
    run_job("audit check")
    assert f"{SLUG}: row 1 is the first that does not hold" in AuditCheck.objects.get().findings


@pytest.mark.parametrize("act", ["write over", "remove"])
def test_whoever_touches_the_bucket_is_found_until_somebody_says_why(folder, s3, settings, act, capsys):
    settings.AUDIT_CHECKPOINTS_TO = [PLACE]
    audit.CheckpointCourier([PLACE]).run()
    (stored,) = s3.list_objects_v2(Bucket="checkpoints")["Contents"]
    if act == "remove":
        s3.delete_object(Bucket="checkpoints", Key=stored["Key"])
    else:
        s3.put_object(Bucket="checkpoints", Key=stored["Key"], Body=b"")
    assert "what guards them does not" in verified()
    assert f"{stored['Key']} in {PLACE} was written over or removed" in capsys.readouterr().err
    with time_machine.travel(timezone.now() + timedelta(seconds=2)):  # the bucket counts in seconds
        assert verified(accept_loss="A colleague tried the bucket out.") == ""


def test_a_bucket_that_is_gone_emptied_or_holds_lines_of_others_is_a_finding(folder, s3, settings, capsys):
    settings.AUDIT_CHECKPOINTS_TO = [PLACE]
    audit.CheckpointCourier([PLACE]).run()
    (stored,) = s3.list_objects_v2(Bucket="checkpoints")["Contents"]
    line = s3.get_object(Bucket="checkpoints", Key=stored["Key"])["Body"].read().decode()
    for place, says in (("s3://checkpoints/none", ""), ("s3://nowhere/desk", "could not be compared")):
        settings.AUDIT_CHECKPOINTS_TO = [place]
        assert bool(verified()) is bool(says)
        assert says in capsys.readouterr().err
    CheckpointPlace.objects.create(place="s3://checkpoints/none", delivered_at=timezone.now())
    settings.AUDIT_CHECKPOINTS_TO = ["s3://checkpoints/none"]
    assert verified()
    assert "holds no checkpoint, although some were delivered there" in capsys.readouterr().err
    forged = line.replace('"number": 2', '"number": 1')
    s3.put_object(Bucket="checkpoints", Key="desk/2026/01/01/000000Z-desk-1.jsonl", Body=forged.encode())
    settings.AUDIT_CHECKPOINTS_TO = [PLACE]
    assert verified()
    assert "were not made with today's AUDIT_KEYS" in capsys.readouterr().err


def test_older_deliveries_are_read_by_the_day(folder, s3):
    bucket = LockedBucket.at(urlsplit(PLACE))
    now = datetime.now(UTC)
    for hours in (1, 2, 30):
        bucket.put([f"{hours} hours"], now=now - timedelta(hours=hours))
    assert len(list(bucket.read(now=now))) == 3
    later = list(bucket.read(now=now + timedelta(days=30)))
    days = {f"{now - timedelta(hours=hours):%Y/%m/%d}" for hours in (1, 2, 30)}
    assert len(later) == len(days)
    assert {"1 hours\n", "30 hours\n"} <= {one.text for one in later}


@pytest.mark.parametrize(
    ("place", "mode", "days"),
    [("s3://checkpoints/desk?days=30&mode=governance", "GOVERNANCE", 30), (PLACE, "COMPLIANCE", 400)],
)
def test_mode_and_days_are_chosen(place, mode, days):
    bucket = LockedBucket.at(urlsplit(place))
    assert (bucket.name, bucket.prefix, bucket.mode, bucket.days) == ("checkpoints", "desk/", mode, days)


def test_a_bucket_without_object_lock_is_refused_and_said(folder, s3):
    s3.create_bucket(Bucket="plain-bucket")
    audit.CheckpointCourier(["s3://plain-bucket"]).run()
    (says,) = audit.undelivered()
    assert "s3://plain-bucket" in says and "ObjectLockConfiguration" in says


# --- what does not arrive -----------------------------------------------------------------------------------------------
def test_what_does_not_arrive_is_said_and_tried_again_until_it_does(folder, monkeypatch, client):
    clock = SimpleNamespace(now=5000.0)
    monkeypatch.setattr(courier, "time", SimpleNamespace(monotonic=lambda: clock.now))
    service = a_service(slug=SLUG)
    people = {role: signed_in(f"{role}@example.test", service, role) for role in Role.values}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    place = f"syslog+tcp://127.0.0.1:{port}"
    one = audit.CheckpointCourier([place])
    one.run()
    says = f"Checkpoints of the audit do not reach {place}"
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["failing"]) == (200, []), "work goes on"
    assert says in ready.json()["audit"]
    assert [one.word for one in faults.find() if says in one.says] == ["audit_places_fail"]
    assert "textdesk_audit_places_failing 1" in client.get("/metrics").text
    seen = {role for role, person in people.items() if says in person.get(f"/s/{SLUG}/").text}
    assert seen == {Role.ADMIN, Role.AUDITOR}
    clock.now += 299
    heard, thread = listening(socket.SOCK_STREAM, port=port)[1:]
    one.run()
    assert not heard
    clock.now += 1
    one.run()
    thread.join(60)
    assert len(heard) == 3
    assert audit.undelivered() == []
    assert client.get("/readyz").json()["audit"] == "ok"
    clock.now += 3599
    one.run()  # nobody listens: it would be said
    assert audit.undelivered() == []
    clock.now += 1
    one.run()
    (says,) = audit.undelivered()
    assert "The last came there on" in says


def test_a_place_that_can_never_be_reached_keeps_none_from_the_others(folder):
    audit.CheckpointCourier([f"syslog+unix:///{'a' * 400}", "mailto:audit@example.test"]).run()
    assert len(mail.outbox) == 1
    (says,) = audit.undelivered()
    assert "path too long" in says


def test_a_place_that_nobody_tries_any_more_is_not_spoken_of():
    CheckpointPlace.objects.create(
        place="mailto:a@example.test", problem="full", tried_at=timezone.now() - timedelta(hours=3)
    )
    assert audit.undelivered() == []


def test_without_boto3_a_bucket_stops_the_start(settings, monkeypatch):
    monkeypatch.setattr("sms.checks.find_spec", lambda _: None)
    settings.AUDIT_CHECKPOINTS_TO = [PLACE]
    (error,) = [one for one in run_checks() if one.id == "sms.E004"]
    assert "textdesk[s3]" in error.msg


@pytest.mark.parametrize(
    "place",
    [
        *(
            "https://log.example.test",
            "syslog://",
            "syslog://host:0",
            "syslog+unix://host/dev/log",
            "mailto:nobody",
        ),
        *("s3://", "s3:///desk", "s3://bucket?days=0", "s3://bucket?days=x", "s3://bucket?mode=none"),
        *("s3://bucket?lock=off", "syslog://host:99999", "x"),
    ],
)
def test_a_place_that_is_none_stops_the_start_with_a_sentence(settings, place):
    with pytest.raises(ValueError, match="."):
        elsewhere.parse_place(place)
    settings.AUDIT_CHECKPOINTS_TO = [place]
    (error,) = [one for one in run_checks() if one.id == "sms.E002"]
    assert "AUDIT_CHECKPOINTS_TO" in error.msg


# --- a syslog and a mailbox ---------------------------------------------------------------------------------------------
def listening(kind: socket.SocketKind, *, port: int = 0, secured: ssl.SSLContext | None = None):
    """The address of a listener on loopback, what it hears, and its thread, which ends with the first batch."""
    server = socket.socket(socket.AF_INET, kind)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    got: list[bytes] = []

    def listen() -> None:
        with closing(server):
            server.settimeout(60)
            if kind == socket.SOCK_DGRAM:
                got.extend(server.recv(65_536) for _ in range(3))
                return
            connected, _ = server.accept()
            if secured:
                connected = secured.wrap_socket(connected, server_side=True)
            with closing(connected), connected.makefile("rb") as file:
                got.extend(file if not secured else _counted(file))

    if kind == socket.SOCK_STREAM:
        server.listen()
    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    return f"localhost:{server.getsockname()[1]}", got, thread


def _counted(file):
    """Messages with their length in front."""
    rest = file.read()
    while rest:
        length, _, rest = rest.partition(b" ")
        yield rest[: int(length)]
        rest = rest[int(length) :]


@pytest.mark.parametrize("scheme", ["syslog", "syslog+tcp", "syslog+tls", "syslog+unix"])
def test_checkpoints_go_to_a_syslog_and_verify_from_a_copy_of_it(folder, tmp_path, scheme, monkeypatch):
    if scheme == "syslog+unix":
        got = []
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
            server.bind(str(tmp_path / "log"))
            audit.CheckpointCourier([f"syslog+unix://{tmp_path / 'log'}"]).run()
            got += [server.recv(65_536) for _ in range(3)]
    else:
        secured = None
        if scheme == "syslog+tls":
            authority = Authority(tmp_path)
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "root.pem"))
            secured = authority.server("localhost")
        kind = socket.SOCK_DGRAM if scheme == "syslog" else socket.SOCK_STREAM
        address, got, thread = listening(kind, secured=secured)
        audit.CheckpointCourier([f"{scheme}://{address}"]).run()
        thread.join(60)
    assert audit.undelivered() == []
    assert len(got) == 3, "one for each of two services and for Textdesk itself"
    assert all(line.startswith(b'<38>textdesk: {"event": "audit_checkpoint"') for line in got)
    log = tmp_path / "syslog"
    log.write_bytes(b"\n".join(got))
    assert verified(checkpoints=[log]) == ""
    cut_off()
    shutil.rmtree(folder)
    audit.ChainSealer(folder).run()
    assert "of 3 chains do not hold" in verified(checkpoints=[log])


def test_a_syslog_with_a_certificate_of_nobody_gets_nothing(folder, tmp_path):
    secured = Authority(tmp_path).server("localhost")
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()

    def answer() -> None:
        with closing(server):
            connected, _ = server.accept()
            with closing(connected), pytest.raises(OSError, match="."):
                secured.wrap_socket(connected, server_side=True)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    audit.CheckpointCourier([f"syslog+tls://localhost:{server.getsockname()[1]}"]).run()
    thread.join(60)
    (says,) = audit.undelivered()
    assert "CERTIFICATE_VERIFY_FAILED" in says


def test_checkpoints_go_to_a_mailbox_and_verify_from_the_mail(folder, tmp_path):
    audit.CheckpointCourier(["mailto:audit@example.test"]).run()
    (letter,) = mail.outbox
    assert letter.to == ["audit@example.test"]
    assert {json.loads(line)["service"] for line in letter.body.splitlines()} == {"", "other", SLUG}
    copy = tmp_path / "letter.eml"
    copy.write_bytes(letter.message().as_bytes())
    assert verified(checkpoints=[copy]) == ""
    cut_off()
    shutil.rmtree(folder)
    audit.ChainSealer(folder).run()
    assert "of 3 chains do not hold" in verified(checkpoints=[copy])


def test_a_copy_that_proves_nothing_is_refused_and_an_altered_one_found(folder, tmp_path, capsys):
    audit.CheckpointCourier(["mailto:audit@example.test"]).run()
    copy = tmp_path / "copy"
    copy.write_text("Nothing of the audit.\n")
    assert verified(checkpoints=[copy]) == f"{copy} holds no checkpoint of an audit."
    copy.write_text(mail.outbox[0].body.replace('"number": 2', '"number": 1'))
    assert "what guards them does not" in verified(checkpoints=[copy])
    assert "holds checkpoints that were altered, or are of another Textdesk: 1." in capsys.readouterr().err
