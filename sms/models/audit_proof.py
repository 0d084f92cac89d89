"""What makes the audit evident: the text that a row stands for, its keyed MAC, and the link of a chain. Hashing only, no database.

Three values, all SHA-256 in hex:

    mac      HMAC(key, body)                                     in the row, in the transaction of its act
    hash     SHA-256(hash before, service, number, id, digest)   in the seal; `digest` is SHA-256(body)
    seal     HMAC(key, "seal " + hash)                           in the seal

Without the key no row or seal can be made; without the rows no hash of a seal. The keyring is filled once by
`sms.apps` from `AUDIT_KEYS` (newest first). Each service has keys of its own, derived from those, so that an auditor of one service
can be given what checks that service and nothing else. `docs/operators/verify_audit_export.py` is the same in one file, written apart.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

FORM = "2"  # of the body; a later form starts with another number
START = ""  # the hash before the first


class NoKeys(RuntimeError):
    """The keyring was not loaded."""


class MacKey:
    """HMAC-SHA-256 with the key's half of the work done once: `hmac.digest` takes more than twice as long for a short text."""

    __slots__ = ("_inner", "_outer", "secret")

    def __init__(self, secret: bytes) -> None:
        block = secret.ljust(64, b"\0")
        if len(block) > 64:
            raise ValueError("a key has 64 bytes at most")
        self.secret = secret
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def mac(self, said: bytes) -> str:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(said)
        outer.update(inner.digest())
        return outer.hexdigest()


class AuditKeys:
    def __init__(self) -> None:
        self._masters: tuple[bytes, ...] = ()
        self._derived: dict[str, tuple[MacKey, ...]] = {}

    def load(self, keys: Sequence[str]) -> None:
        """Use these keys from now on; the first one writes."""
        self._masters = tuple(key.encode() for key in keys)
        self._derived = {}

    def of(self, service_slug: str) -> tuple[MacKey, ...]:
        """The keys of one service, newest first; of Textdesk itself with an empty slug."""
        found = self._derived.get(service_slug)
        if found is None:
            if not self._masters:
                raise NoKeys("the audit keys were not loaded")
            found = tuple(MacKey(derived(key, service_slug)) for key in self._masters)
            self._derived[service_slug] = found
        return found


audit_keys = AuditKeys()


def derived(master: bytes, service_slug: str) -> bytes:
    return hmac.digest(master, f"audit of {service_slug}".encode(), "sha256")


def written(at: datetime) -> str:
    """A moment as it stands in a body: `2026-11-23 16:09:48.120000`, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"


def canonical(details: Mapping[str, object]) -> str:
    return json.dumps(details, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def clean(text: str) -> str:
    """A value without the character that a database cannot hold."""
    return text.replace("\0", " ") if "\0" in text else text


def body(values: Sequence[str | None]) -> bytes:
    """What a row says: its columns in the order of `AuditEvent.PROVEN`, each with its length in bytes; `-` is NULL.

    With the lengths no text can pass from one column into the next, and no column can vanish.
    """
    parts = [FORM.encode()]
    for value in values:
        if value is None:
            parts.append(b"-")
        else:
            said = value.encode()
            parts.append(b"%d:%b" % (len(said), said))
    return b"\n".join(parts)


def digest(said: bytes) -> str:
    return hashlib.sha256(said).hexdigest()


def link(before: str, service_slug: str, number: int, event_id: int, row_digest: str) -> str:
    return digest(f"{before}\n{service_slug}\n{number}\n{event_id}\n{row_digest}".encode())


def seal_mac(key: MacKey, link_hash: str) -> str:
    return key.mac(b"seal " + link_hash.encode())


def checkpoint_mac(key: MacKey, service_slug: str, number: int, link_hash: str, at: str, before: str) -> str:
    """The keyed MAC of a checkpoint: without the key none can be put among ours."""
    return key.mac(f"checkpoint {service_slug}\n{number}\n{link_hash}\n{at}\n{before}".encode())


def folder_mac(key: MacKey, said: Mapping[str, object]) -> str:
    """The keyed MAC of what a host's folder of checkpoints says of itself."""
    return key.mac(f"folder {canonical(said)}".encode())


def read_details(text: str) -> dict[str, Any]:
    """Details from their text; one that was broken is shown as it stands."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"unreadable": text[:200]}
