"""The index of an archive: which block holds a number, a provider's id or a partner's name, by keyed digest, without revealing any."""

import hmac
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from sms.compliance.archive.rows import ArchivedMessage
from sms.models import Archive, ArchiveIndex
from sms.values.msisdn.hidden import ERASED, hidden

DIGEST, PLACE = 6, 2
ENTRY = DIGEST - 1 + PLACE  # the first byte is the bucket


def of_number(msisdn: str, *, key: bytes) -> bytes:
    """A number's digest; of one that was hidden already it is the same."""
    return _digest(b"number " + hidden(msisdn, key=key).encode(), key)


def of_provider_id(provider_id: str, *, key: bytes) -> bytes:
    return _digest(b"provider " + provider_id.encode(), key)


def of_name(name: str, *, key: bytes) -> bytes:
    """What a partner calls a message or its recipient."""
    return _digest(b"called " + name.encode(), key)


def _digest(text: bytes, key: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")[:DIGEST]


class Building:
    def __init__(self, key: bytes) -> None:
        self._key = key
        self._buckets: dict[int, bytearray] = defaultdict(bytearray)

    def add(self, number: int, rows: Iterable[ArchivedMessage]) -> None:
        digests = set()
        for row in rows:
            if row.msisdn and row.msisdn != ERASED:
                digests.add(of_number(row.msisdn, key=self._key))
            if row.provider_id:
                digests.add(of_provider_id(row.provider_id, key=self._key))
            digests |= {of_name(name, key=self._key) for name in row.partner_names}
        for digest in sorted(digests):
            self._buckets[digest[0]] += digest[1:] + number.to_bytes(PLACE, "big")

    def store(self, archive: Archive) -> None:
        for bucket, entries in sorted(self._buckets.items()):
            archive.index.create(service_id=archive.service_id, bucket=bucket, entries=bytes(entries))


def blocks_with(service_id: int, digest: bytes) -> Mapping[int, set[int]]:
    """Block numbers by archive. One query, one row of each archive."""
    found: dict[int, set[int]] = {}
    rows = ArchiveIndex.objects.filter(service_id=service_id, bucket=digest[0]).order_by()
    for archive_id, entries in rows.values_list("archive_id", "entries").iterator(chunk_size=500):
        if numbers := set(_numbers(bytes(entries), digest[1:])):
            found[archive_id] = numbers
    return found


def _numbers(entries: bytes, digest: bytes) -> Iterator[int]:
    at = entries.find(digest)
    while at >= 0:
        if at % ENTRY == 0:
            yield int.from_bytes(entries[at + DIGEST - 1 : at + ENTRY], "big")
        at = entries.find(digest, at + 1)
