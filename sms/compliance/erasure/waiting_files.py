"""Receipts and incoming SMS on this host's disk that could not be stored and wait for a person: the number's digits become zeros.

The other spooled files are brought into the database first and erased there. A file is written again under its name, as long as before, and
with checksums that fit.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from sms.compliance.erasure.naming import Subject
from sms.inbound import optouts, receipts
from sms.inbound.optouts import inbound_spool
from sms.inbound.receipts import spool
from sms.values import durable_file

Change = Callable[[bytes], bytes]


def bring_in() -> None:
    receipts.sweep()
    optouts.sweep()


def erase(subject: Subject) -> int:
    changed = 0
    for path, rewritten in _files():
        before = path.read_bytes()
        after = rewritten(before, lambda content: _zeroed(content, subject))
        if after != before:
            durable_file.put(path, after, mode=path.stat().st_mode & 0o777)
            changed += 1
    return changed


def left(subject: Subject) -> int:
    found = (path.read_bytes() for path, _ in _files())
    return sum(_zeroed(content, subject) != content for content in found)


def _files() -> "Iterator[tuple[Path, Callable[[bytes, Change], bytes]]]":
    """Files that no process writes any more, and how each is changed."""
    yield from ((path, spool.format.rewritten) for path in spool.untouched())
    yield from ((path, inbound_spool.format.rewritten) for path in inbound_spool.untouched())


def _zeroed(content: bytes, subject: Subject) -> bytes:
    """As many bytes, with zeros for the digits of the number."""

    def zeros(number: str) -> str:
        return "".join("0" * len(char.encode()) if char.isdecimal() else char for char in number)

    text = content.decode("utf-8", "surrogateescape")
    return subject.mention.replaced(text, zeros).encode("utf-8", "surrogateescape")
