"""How posts lie in a spool file: a run of records, each MAGIC, length, CRC-32, payload."""

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import takewhile
from typing import Generic, TypeVar

import msgspec

MAGIC = b"\xf5SP1"
HEAD = struct.Struct(">4sII")

_encode = msgspec.msgpack.Encoder().encode


class IncomingPost(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What the provider posted to a service, genuine and not stored yet."""

    service_id: int
    raw: bytes
    received_at: datetime


Post = TypeVar("Post", bound=IncomingPost)


class RecordFormat(Generic[Post]):
    def __init__(self, kind: type[Post]) -> None:
        self._decode = msgspec.msgpack.Decoder(kind).decode

    def packed(self, posts: Iterable[Post]) -> bytes:
        payloads = map(_encode, posts)
        return b"".join(HEAD.pack(MAGIC, len(one), zlib.crc32(one)) + one for one in payloads)

    def read(self, data: bytes) -> tuple[list[Post], int]:
        """The whole records of a file, and how many of its bytes are damaged. A tail that ends too early was torn, which is no damage."""
        pieces = list(self._pieces(data))
        posts = [found for found, _ in pieces if found is not None]
        tail = list(takewhile(lambda piece: piece[0] is None, reversed(pieces)))
        lost = [piece for found, piece in pieces[: len(pieces) - len(tail)] if found is None]
        if tail and not _ends_early(tail[0][1]):
            lost.append(tail[0][1])
        return posts, sum(map(len, lost))

    def rewritten(self, data: bytes, change: Callable[[bytes], bytes]) -> bytes:
        """A file with what was posted changed, each with a checksum that fits; what is damaged is changed as it lies there."""
        parts = list[bytes]()
        for found, piece in self._pieces(data):
            raw = change(piece if found is None else found.raw)
            if found is None:
                parts.append(raw)
            else:
                same = raw == found.raw
                parts.append(piece if same else self.packed([msgspec.structs.replace(found, raw=raw)]))
        return b"".join(parts)

    def _pieces(self, data: bytes) -> Iterator[tuple[Post | None, bytes]]:
        """The whole records of a file and what lies between them, each with its bytes."""
        at = 0
        while at < len(data):
            found, end = self._post_at(data, at)
            if found is None:
                following = data.find(MAGIC, at + 1)
                end = following if following > 0 else len(data)
            yield found, data[at:end]
            at = end

    def _post_at(self, data: bytes, at: int) -> tuple[Post | None, int]:
        """The record that begins there, and where it ends."""
        if len(data) - at < HEAD.size:
            return None, at
        magic, length, crc = HEAD.unpack_from(data, at)
        payload = data[at + HEAD.size : at + HEAD.size + length]
        if magic != MAGIC or len(payload) != length or zlib.crc32(payload) != crc:
            return None, at
        try:
            return self._decode(payload), at + HEAD.size + length
        except msgspec.MsgspecError:
            return None, at


def _ends_early(piece: bytes) -> bool:
    """Whether it is a record whose end was never written; it had not been answered for."""
    if len(piece) < HEAD.size:
        return True
    magic, length, _ = HEAD.unpack_from(piece)
    return magic == MAGIC and len(piece) - HEAD.size < length
