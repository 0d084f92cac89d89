"""The last requests of each key that were refused, for the page of the key: what a partner asks its admin about, by its `Request-Id`.

`note` is called by the front and by a middleware, and takes no body. It writes nothing by itself where `gather` was called, as a process
that answers many requests does: a thread stores what came together, so that a program that hammers costs a statement every few seconds.
"""

import hmac
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import structlog
from django.db import Error, connection, transaction

from sms.models import ApiKey, RefusedRequest
from sms.models.api_key import digest_of
from sms.models.refused_request import MOST
from sms.models.sql.clock import corrected_now
from sms.values.msisdn.mention import masked

log = structlog.get_logger(__name__)

MOST_KEYS = 200  # of which refusals wait to be stored
MOST_ERRORS = 10  # kept of one request
SLACK = 50  # rows of a key beyond MOST before the oldest are deleted
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
CALM, BUSY = 0.5, 5.0  # seconds between two writes, with few of them and with many
MANY = 100


@dataclass(frozen=True, slots=True)
class RefusalToKeep:
    """One refused request, by the token that came with it: whose it is is looked up when it is stored."""

    digest: str
    row: Mapping[str, Any]


class RefusalLog:
    """What waits to be stored, by the prefix of the key; the oldest gives way to the newest."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[RefusalToKeep]] = {}
        self._lock = threading.Lock()
        self._asleep = False
        self._unpruned: dict[
            int, int
        ] = {}  # rows that this process stored of a key since it looked at their number
        self.gathers = False

    def add(self, prefix: str, refusal: RefusalToKeep) -> None:
        with self._lock:
            mine = self._waiting.get(prefix)
            if mine is None:
                if len(self._waiting) >= MOST_KEYS:
                    return
                mine = self._waiting[prefix] = deque(maxlen=MOST)
            mine.append(refusal)
            if self.gathers and self._asleep:
                return
            self._asleep = self.gathers
        if not self.gathers:
            self.store()
            return
        try:
            threading.Thread(target=self._store_soon, name="refused-requests", daemon=True).start()
        except RuntimeError:  # no thread can be had; the next one tries again
            self._asleep = False

    def _store_soon(self) -> None:
        """Until a moment passes in which none came."""
        pause = CALM
        try:
            while True:
                time.sleep(pause)
                pause = BUSY if self.store() > MANY else CALM
                with self._lock:
                    if not self._waiting:
                        self._asleep = False
                        return
        finally:
            connection.close()

    def store(self) -> int:
        """What waits, in one statement; how many rows that were. A database that does not answer loses them: they are no more than help."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        try:
            with transaction.atomic():
                keys = ApiKey.objects.filter(prefix__in=list(waiting)).only("pk", "prefix", "digest")
                rows = [
                    RefusedRequest(key_id=key.pk, **one.row)
                    for key in keys
                    for one in waiting[key.prefix]
                    if hmac.compare_digest(key.digest, one.digest)
                ]
                RefusedRequest.objects.bulk_create(sorted(rows, key=lambda row: row.at), batch_size=500)
                self._prune(row.key_id for row in rows)
        except Error as problem:
            log.warning("refused_requests_not_stored", error=type(problem).__name__)
            return 0
        return len(rows)

    def _prune(self, key_ids: Iterable[int]) -> None:
        for key_id in key_ids:
            self._unpruned[key_id] = self._unpruned.get(key_id, SLACK) + 1
        for key_id in [pk for pk, stored in self._unpruned.items() if stored > SLACK]:
            RefusedRequest.trim(key_id)
            self._unpruned[key_id] = 0


refusals = RefusalLog()


def gather(on: bool = True) -> None:
    """For a process that answers many requests: store what is noted a moment later, and together."""
    refusals.gathers = on


def note(
    headers: Mapping[str, str],
    *,
    key: ApiKey | None = None,
    request_id: str,
    method: str,
    path: str,
    status: int,
    content: bytes,
    now: datetime | None = None,
) -> str:
    """Keep it, if it came with what may be a key of ours: then its prefix.

    `key` is whose it is, where a view has found out; otherwise it is looked up by what the `headers` of the request hold. `content` is the
    answer's body; `path` has no values of parameters any more.
    """
    token = "" if key else token_in(headers)
    prefix, digest = (key.prefix, key.digest) if key else (ApiKey.prefix_of(token), digest_of(token))
    if prefix:
        row = {
            "request_id": request_id,
            "at": now or corrected_now(),
            "method": method if method in METHODS else "other",
            "path": masked(path)[:300],
            "status": status,
        }
        refusals.add(prefix, RefusalToKeep(digest, row | said_in(content)))
    return prefix


def token_in(headers: Mapping[str, str]) -> str:
    """Wherever one of the APIs takes it. What stands there is compared with the key's digest before anything is stored."""
    written = headers.get("Authorization", "").split()
    return written[-1] if written else headers.get("key", "").strip()


def said_in(content: bytes) -> dict[str, Any]:
    """Code, sentence and errors of an answer, in whichever shape its address refuses; nothing of one without a body."""
    try:
        said = msgspec.json.decode(content)
    except msgspec.DecodeError:
        return {}
    said = said.get("response", said) if isinstance(said, dict) else {}
    if not isinstance(said, dict):
        return {}
    sentence = said.get("detail") or said.get("message") or said.get("description") or ""
    errors = [
        {"field": masked(one["field"])[:100], "code": one["code"], "row": one.get("row")}
        for one in said.get("errors", ())[:MOST_ERRORS]
    ]
    return {"code": str(said.get("code", ""))[:40], "says": masked(str(sentence))[:500], "errors": errors}
