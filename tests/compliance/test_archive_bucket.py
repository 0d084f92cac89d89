"""Archives in a bucket of an S3 server, with object lock: written once, read by ranges from every host, and rewritten under new names."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.utils import timezone
from structlog.testing import capture_logs

from portal import storage_url
from portal.env import WrongVariable, env_parsed
from sms.compliance import archive, erasure
from sms.compliance.archive import places, read
from sms.compliance.archive.files import Damaged, Missing, Placed, Store
from sms.compliance.archive.verify import unknown_files, verify
from sms.dispatch import epochs
from sms.models import Actor, Archive, Epoch, RestoredCopy
from tests.support.jobs import run_job
from tests.support.object_storage import VARIABLES, s3_server
from tests.support.past_sends import a_past_send, an_old_service, no_rest
from tests.support.sends import a_service

BY = Actor("user", "1", "ada@example.test", "page", "192.0.2.7")


@pytest.fixture(scope="module")
def server():
    with s3_server() as address:
        yield address


@pytest.fixture
def s3(server, monkeypatch):
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=server)
    client.create_bucket(Bucket="desk", ObjectLockEnabledForBucket=True)
    yield client
    httpx.post(f"{server}/moto-api/reset")


def at(server: str, lock: str = "&mode=governance&days=30") -> places.ArchiveBucket:
    options = storage_url.parse(f"s3://desk/old?region=us-east-1&endpoint={server}{lock}")["OPTIONS"]
    return places.ArchiveBucket(**options)


@pytest.fixture
def bucket(s3, server, monkeypatch):
    """This process is a host whose STORAGE_URL leads there."""
    monkeypatch.setattr(archive.store, "bucket", at(server))
    return archive.store.bucket


def archived() -> tuple[Archive, list[str]]:
    service = an_old_service(keep_messages=10)
    send = a_past_send(service, 6, days=15, ends=("delivered",), content="Hi $(number)")
    rows = list(send.messages.order_by("pk"))
    blocks = [[one.pk for one in rows[:2]], [one.pk for one in rows[2:]]]
    made = archive.make(service, blocks, posted_until=timezone.now(), gone=archive.StripRule(), rest=no_rest)
    assert archive.move(made, rest=no_rest) == 6
    made.refresh_from_db()
    read.forget_blocks()
    return made, [one.msisdn for one in rows]


@pytest.mark.django_db
def test_what_one_host_archives_another_reads_and_the_server_locks(
    bucket, s3, server, monkeypatch, state_folder
):
    made, numbers = archived()
    head = s3.head_object(Bucket="desk", Key=f"old/{made.name}")
    assert (head["ObjectLockMode"], head["ContentLength"]) == ("GOVERNANCE", made.size)
    days = head["ObjectLockRetainUntilDate"] - datetime.now(UTC)
    assert timedelta(days=29) < days <= timedelta(days=30)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket="desk", Key=f"old/{made.name}", VersionId=head["VersionId"])
    assert not (state_folder / "archive").exists()
    monkeypatch.setattr(archive.store, "bucket", at(server))  # another host
    assert [row.msisdn for row in archive.every(made.service)] == numbers
    assert [row.msisdn for row in archive.to_number(made.service, numbers[3])] == [numbers[3]]
    assert [one.broken for one in verify()] == [""]
    assert unknown_files() == []
    s3.put_object(Bucket="desk", Key="old/other/2026-01-x.tda", Body=b"x")
    assert unknown_files() == ["other/2026-01-x.tda"]


@pytest.mark.django_db
def test_an_erasure_writes_a_new_object_and_what_stays_locked_opens_with_no_key(bucket, s3, state_folder):
    made, numbers = archived()
    old, key = made.name, made.key
    asked = erasure.ask(made.service, numbers[0], reason="r", by=BY)
    assert erasure.perform(asked, folder=state_folder)
    made.refresh_from_db()
    assert made.name != old and made.key != key and made.spare == ""
    assert [one.broken for one in verify()] == [""]
    versions = s3.list_object_versions(Bucket="desk", Prefix=f"old/{old}")
    assert len(versions["Versions"]) == len(versions["DeleteMarkers"]) == 1, "hidden, and locked for its days"
    assert list(archive.store.names()) == [made.name]
    assert key not in str(list(Archive.objects.values()))
    # a restored backup knows nothing of it; every host does
    assert len(list(erasure.journal.of(made.service.slug))) == 1
    assert list(erasure.journal.of("other")) == []


@pytest.mark.django_db
def test_an_object_that_is_gone_cut_short_or_another_is_said(bucket, s3):
    made, _ = archived()
    whole = s3.get_object(Bucket="desk", Key=f"old/{made.name}")["Body"].read()
    block = made.blocks.get(number=1)
    placed = Placed(block.offset, block.length, block.sha256)
    for body in (whole[:-1], whole[: block.offset], whole[:-1] + b"x"):
        s3.put_object(Bucket="desk", Key=f"old/{made.name}", Body=body)
        with pytest.raises(Damaged, match="Block 1 of the archive file"):
            archive.store.read(made.name, 1, placed, key=made.key)
        assert "is not the file that was written" in next(verify()).broken
    s3.delete_object(Bucket="desk", Key=f"old/{made.name}")
    with pytest.raises(Missing, match="Put the file back from a backup"):
        archive.store.read(made.name, 1, placed, key=made.key)
    with pytest.raises(CommandError):
        call_command("verify_archives")


def test_a_name_is_written_once_and_an_answer_that_was_lost_is_no_failure(bucket, s3):
    key = archive.write.new_key()
    bucket.save("a/b.tda", archive.files.ContentFile(b"one"))
    bucket.save("a/b.tda", archive.files.ContentFile(b"one"))
    assert len(s3.list_object_versions(Bucket="desk")["Versions"]) == 1
    with pytest.raises(archive.ArchiveError, match="a/b.tda cannot be written"):
        Store(bucket=bucket).write("a/b.tda", [b"two"], key=key, about={})
    assert bucket.open("a/b.tda").read() == b"one"


@pytest.mark.django_db
@pytest.mark.usefixtures("ids_stay_low")
def test_a_new_host_knows_a_restored_copy_by_the_epoch_in_the_bucket_and_goes_on_without_it(
    bucket, s3, tmp_path, monkeypatch
):
    monkeypatch.setattr(epochs, "bucket", bucket)
    a_service()
    run_job("epoch")
    first = json.loads(s3.get_object(Bucket="desk", Key="old/epoch.json")["Body"].read())
    assert first["number"] == Epoch.objects.get().number
    assert "ObjectLockMode" not in s3.head_object(Bucket="desk", Key="old/epoch.json")
    epochs.forget()
    run_job("epoch")
    assert not RestoredCopy.objects.exists()
    Epoch.objects.filter(number__gt=first["number"]).delete()  # as a backup has it, on a host of its own
    epochs.folders = (tmp_path / "new", tmp_path / "archive")
    epochs.forget()
    assert epochs.check()
    assert "The bucket of archives knows epoch 2" in RestoredCopy.objects.get().why
    s3.put_object(Bucket="desk", Key="old/epoch.json", Body=b"{")
    assert not epochs.check()
    assert "The bucket of archives does not keep" in epochs.trouble
    run_job("epoch")
    kept = s3.get_object(Bucket="desk", Key="old/epoch.json")["Body"].read()
    assert kept == b"{", "it may be all that tells of a restore"
    s3.delete_object(Bucket="desk", Key="old/epoch.json")
    run_job("epoch")
    assert epochs.trouble == ""
    monkeypatch.setattr(bucket, "bucket", "nowhere")
    with capture_logs() as logs:
        run_job("epoch")
        run_job("epoch")
    assert [one["event"] for one in logs if "epoch" in one["event"]] == ["epoch_bucket_away"], (
        "left alone then"
    )
    assert "The bucket of archives does not keep" in epochs.trouble
    assert (tmp_path / "new" / "epoch.json").exists()


def test_a_bucket_that_does_not_lock_or_is_not_there_is_found_before_the_first_archive(s3, server, settings):
    s3.create_bucket(Bucket="plain-bucket")
    for url, says in (
        (f"s3://plain-bucket?endpoint={server}&mode=compliance&days=9", "ObjectLockConfiguration"),
        (f"s3://nowhere?endpoint={server}", "NoSuchBucket"),
        (f"s3://plain-bucket?endpoint={server}", ""),
    ):
        settings.STORAGES = settings.STORAGES | {"archives": storage_url.parse(url)}
        found = [one.msg for one in run_checks(include_deployment_checks=True) if one.id == "portal.E002"]
        assert bool(found) is bool(says)
        assert says in "".join(found)


# --- the variable -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "url",
    [
        *("archive", "s3://", "s3:bucket", "https://bucket", "file://host/archive", "s3://key:secret@bucket"),
        *("s3://bucket?mode=compliance", "s3://bucket?days=3", "s3://bucket?mode=soft&days=3"),
        *("s3://bucket?mode=compliance&days=0", "s3://bucket?zone=eu", "s3://bucket?endpoint=s3.example.org"),
        "s3://bucket?region=a&region=b",
    ],
)
def test_a_place_that_is_none_stops_the_start_with_a_sentence(monkeypatch, url):
    monkeypatch.setenv("STORAGE_URL", url)
    with pytest.raises(
        WrongVariable, match="STORAGE_URL cannot be read.* it should be a folder, like"
    ) as caught:
        env_parsed("STORAGE_URL", "", storage_url.parse, should=storage_url.SHOULD)
    assert "secret" not in str(caught.value)


def test_a_folder_or_a_bucket():
    assert storage_url.parse("") is None
    assert storage_url.parse("/srv/a b") == storage_url.parse("file:///srv/a%20b") == Path("/srv/a b")
    options = storage_url.parse("s3://bucket/a/b/?region=eu-central-1&endpoint=https://s3.example.org:9000")[
        "OPTIONS"
    ]
    assert (options["bucket"], options["prefix"], options["mode"]) == ("bucket", "a/b/", "")
    assert (options["region"], options["endpoint"]) == ("eu-central-1", "https://s3.example.org:9000")
