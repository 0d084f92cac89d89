"""Where archive files are, as Django storages: a folder, or a bucket of an S3 server. Each file is written once, and read by ranges."""

import base64
import hashlib
import io
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage

from sms.compliance import s3
from sms.values import durable_file

IN_MEMORY = 8 << 20  # bytes of a file that is being written to a bucket; a longer one waits on the disk
AT_ONCE = 8 << 20  # bytes that are asked for where a whole file is read


class ArchiveFolder(FileSystemStorage):
    """A folder, which several hosts may share. A file and its name are on the disk when `save` returns."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name  # a second file of a name is refused, not given another one

    def _save(self, name: str, content: File) -> str:
        path = Path(self.path(name))
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with durable_file.created(path) as file:
            for chunk in content.chunks():
                file.write(chunk)
        durable_file.sync_folder(path.parent.parent)
        return name


class ArchiveBucket(Storage):
    """A bucket, or a part of one. With `mode` every object is locked for `days`, whoever asks: then deleting hides it, and the server
    keeps it until its days are over. What it holds cannot be read any more all the same, since its key was in our database.
    """

    def __init__(
        self,
        *,
        bucket: str,
        prefix: str = "",
        region: str = "",
        endpoint: str = "",
        mode: str = "",
        days: int = 0,
    ) -> None:
        self.bucket, self.prefix, self.mode, self.days = bucket, prefix, mode, days
        self._where = {"region_name": region, "endpoint_url": endpoint}
        self._client: tuple[int, Any] = (0, None)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name

    def _save(self, name: str, content: File) -> str:
        """Raises FileExistsError where the name is taken, on servers that know conditional writes."""
        whole = hashlib.sha256()
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as waiting:
            for chunk in content.chunks():
                whole.update(chunk)
                waiting.write(chunk)
            checksum = base64.b64encode(whole.digest()).decode()
            try:
                self._put(name, waiting, checksum, IfNoneMatch="*")
            except FileExistsError:
                if self._checksum(name) != checksum:  # else it is ours: the answer to the first try was lost
                    raise
            except NotImplementedError:
                self._put(name, waiting, checksum)
        return name

    def replace(self, name: str, content: bytes) -> None:
        """A small file that is written again and again, and not locked."""
        checksum = base64.b64encode(hashlib.sha256(content).digest()).decode()
        self._put(name, io.BytesIO(content), checksum, lock=False)

    def _put(self, name: str, content: Any, checksum: str, *, lock: bool = True, **condition: str) -> None:
        locked: dict[str, Any] = {}
        if self.mode and lock:
            until = datetime.now(UTC) + timedelta(days=self.days)
            locked = {"ObjectLockMode": self.mode, "ObjectLockRetainUntilDate": until}
        content.seek(0)
        with s3.errors():
            self.client.put_object(
                **self._named(name),
                Body=content,
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=checksum,
                **locked,
                **condition,
            )

    def _checksum(self, name: str) -> str:
        with s3.errors():
            found = self.client.head_object(**self._named(name), ChecksumMode="ENABLED")
        return str(found.get("ChecksumSHA256", ""))

    def _open(self, name: str, mode: str = "rb") -> File:
        return File(io.BufferedReader(_Ranges(self, name), AT_ONCE), name)

    def part(self, name: str, start: int, length: int) -> bytes:
        """Bytes of an object, fewer where it ends before. Raises FileNotFoundError, or OSError."""
        with s3.errors():
            try:
                asked = f"bytes={start}-{start + length - 1}"
                got = self.client.get_object(**self._named(name), Range=asked)
                return bytes(got["Body"].read())
            except self.client.exceptions.ClientError as problem:
                if problem.response.get("Error", {}).get("Code") != "InvalidRange":
                    raise
                return b""  # it ends before

    def delete(self, name: str) -> None:
        with s3.errors():
            self.client.delete_object(**self._named(name))

    def exists(self, name: str) -> bool:
        try:
            return self.size(name) >= 0
        except FileNotFoundError:
            return False

    def size(self, name: str) -> int:
        with s3.errors():
            return int(self.client.head_object(**self._named(name))["ContentLength"])

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        under = f"{self.prefix}{path.strip('/')}/" if path.strip("/") else self.prefix
        folders, files = list[str](), list[str]()
        with s3.errors():
            pages = self.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket, Prefix=under, Delimiter="/"):
                folders += [one["Prefix"][len(under) : -1] for one in page.get("CommonPrefixes", ())]
                files += [one["Key"][len(under) :] for one in page.get("Contents", ())]
        return folders, files

    def look(self) -> None:
        """Whether it is there, lets us list, and locks where it should. Raises OSError."""
        with s3.errors():
            self.client.list_objects_v2(Bucket=self.bucket, Prefix=self.prefix, MaxKeys=1)
            if self.mode:
                self.client.get_object_lock_configuration(Bucket=self.bucket)

    @property
    def client(self) -> Any:
        """One for the process: a forked one makes its own, since connections are not shared."""
        pid, found = self._client
        if pid != os.getpid():
            found = s3.connected(**{name: value for name, value in self._where.items() if value})
            self._client = (os.getpid(), found)
        return found

    def _named(self, name: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": f"{self.prefix}{name}"}


class _Ranges(io.RawIOBase):
    """An object read from any place, each read a request."""

    def __init__(self, bucket: ArchiveBucket, name: str) -> None:
        self._bucket, self._name, self._at = bucket, name, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_END:
            offset += self._bucket.size(self._name)
        self._at = offset + (self._at if whence == os.SEEK_CUR else 0)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        got = self._bucket.part(self._name, self._at, len(buffer))
        buffer[: len(got)] = got
        self._at += len(got)
        return len(got)
