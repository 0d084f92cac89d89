"""How posts lie in a spool file: a run of records, each MAGIC, length, CRC-32, payload."""

import struct
import zlib
from collections.abc import Callable, Iterable
from datetime import datetime
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
    """Records of one kind of post."""

    def __init__(self, kind: type[Post]) -> None:
        self._decode = msgspec.msgpack.Decoder(kind).decode

    def packed(self, posts: Iterable[Post]) -> bytes:
        """Their records in a row."""
        return b"".join(_record(_encode(post)) for post in posts)

    def read(self, data: bytes) -> tuple[list[Post], int]:
        """The whole records of a file, and how many of its bytes are damaged. A tail that ends too early was torn, which is no damage."""
        posts, at, damaged, skipped = list[Post](), 0, 0, 0
        while at < len(data):
            found, end = self._post_at(data, at)
            if found is not None:
                posts.append(found)
                damaged, skipped, at = damaged + skipped, 0, end
                continue
            following = data.find(MAGIC, at + 1)
            if following < 0:
                if not _ends_early(data, at):
                    damaged += len(data) - at
                break
            skipped += following - at
            at = following
        return posts, damaged

    def rewritten(self, data: bytes, change: Callable[[bytes], bytes]) -> bytes:
        """A file with what was posted changed, each with a checksum that fits; what is damaged is changed as it lies there."""
        parts, at = list[bytes](), 0
        while at < len(data):
            found, end = self._post_at(data, at)
            if found is None:
                following = data.find(MAGIC, at + 1)
                end = following if following > 0 else len(data)
                parts.append(change(data[at:end]))
            else:
                raw = change(found.raw)
                same = raw == found.raw
                parts.append(data[at:end] if same else self.packed([msgspec.structs.replace(found, raw=raw)]))
            at = end
        return b"".join(parts)

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


def _record(payload: bytes) -> bytes:
    return HEAD.pack(MAGIC, len(payload), zlib.crc32(payload)) + payload


def _ends_early(data: bytes, at: int) -> bool:
    """Whether what begins here is a record whose end was never written; it had not been answered for."""
    if len(data) - at < HEAD.size:
        return True
    magic, length, _ = HEAD.unpack_from(data, at)
    return magic == MAGIC and len(data) - at - HEAD.size < length
