"""Checkpoints in a bucket with object lock: whoever has this machine and its keys can add there, and neither change nor remove.

`s3://bucket/prefix?days=400&mode=compliance`. A delivery is one object, named by its time; credentials, region and another address than
Amazon's come from the variables that every S3 client reads (`AWS_ACCESS_KEY_ID` …, `AWS_ENDPOINT_URL_S3`).
"""

import re
import secrets
import socket
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import SplitResult, parse_qs

from sms.compliance import s3
from sms.compliance.s3 import MODES

DAYS = 400
READ_WHOLE = timedelta(days=2)  # what is older is read from the last object of each day
_NAMED = re.compile(r"(\d{4}/\d\d/\d\d)/\d{6}Z-[^/]+\.jsonl")


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """One object's first version: its lines, and how often something was written over it or removed it since."""

    key: str
    text: str
    tampered_at: datetime | None


@dataclass(frozen=True, slots=True)
class LockedBucket:
    name: str
    prefix: str
    days: int
    mode: str

    @classmethod
    def at(cls, place: SplitResult) -> "LockedBucket":
        """Raises ValueError where it is none."""
        asked = parse_qs(place.query, strict_parsing=True) if place.query else {}
        days, mode = int(asked.pop("days", [str(DAYS)])[0]), asked.pop("mode", [MODES[0]])[0].upper()
        if place.scheme != "s3" or not place.netloc or asked or not 1 <= days <= 36_500 or mode not in MODES:
            raise ValueError(place.geturl())
        prefix = place.path.strip("/")
        return cls(place.netloc, f"{prefix}/" if prefix else "", days, mode)

    def put(self, lines: Sequence[str], *, now: datetime) -> None:
        """Raises OSError, also where the bucket has no object lock."""
        name = f"{now:%Y/%m/%d/%H%M%S}Z-{socket.gethostname()}-{secrets.token_hex(4)}.jsonl"
        with s3.client() as client:
            client.put_object(
                Bucket=self.name,
                Key=f"{self.prefix}{name}",
                Body="".join(f"{line}\n" for line in lines).encode(),
                ContentType="application/jsonl",
                ChecksumAlgorithm="SHA256",
                ObjectLockMode=self.mode,
                ObjectLockRetainUntilDate=now + timedelta(days=self.days),
            )

    def read(self, *, now: datetime) -> Iterator[StoredDelivery]:
        """First versions, oldest first: all of the last days, and the last of each day before. Raises OSError."""
        with s3.client() as client:
            found = self._listed(client)
            last_of_day = {self._day(key): key for key in sorted(found)}
            for key, (first, *later) in sorted(found.items()):
                if first.version is None:
                    yield StoredDelivery(key, "", first.at)  # not even the first version is left
                elif later or key in last_of_day.values() or first.at > now - READ_WHOLE:
                    got = client.get_object(Bucket=self.name, Key=key, VersionId=first.version)
                    text = got["Body"].read().decode(errors="replace")
                    yield StoredDelivery(key, text, later[-1].at if later else None)

    def _day(self, key: str) -> str:
        """Empty for what is none of ours."""
        named = _NAMED.fullmatch(key.removeprefix(self.prefix))
        return named[1] if named else ""

    def _listed(self, client: Any) -> dict[str, list["_Entry"]]:
        """What was done to each object, oldest first."""
        found: dict[str, list[_Entry]] = defaultdict(list)
        pages = client.get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self.name, Prefix=self.prefix):
            for one in page.get("Versions", ()):
                found[one["Key"]].append(_Entry(one["LastModified"], one["VersionId"]))
            for one in page.get("DeleteMarkers", ()):
                found[one["Key"]].append(_Entry(one["LastModified"], None))
        for entries in found.values():
            entries.reverse()  # the newest came first, and several may be of one second
            entries.sort(key=lambda one: (one.at, one.version is None))
        return {key: entries for key, entries in found.items() if self._day(key)}


@dataclass(frozen=True, slots=True)
class _Entry:
    """A version of an object, or without one the mark that removed it."""

    at: datetime
    version: str | None
