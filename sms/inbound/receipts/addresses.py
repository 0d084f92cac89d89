"""Whose posts come to an address, and whether they are genuine."""

import hashlib
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple, cast

from django.db import Error, OperationalError

from sms.models import CameTo, PostTally, RetiredAddress, Service
from sms.models.sql.availability import database
from sms.models.sql.clock import corrected_now
from sms.models.sql.trouble import is_away
from sms.webex import signature

WAIT = 3.0  # seconds that a thread with an unknown address waits for another that reads
SOON = 1.0  # seconds after which an unknown address may be looked up again


class Verdict(Enum):
    GENUINE = "it counts: no signature is asked for, or it fits"
    PROVES = "it counts, and is the first that today's secret fits"
    UNPROVEN = "it counts, since nothing has shown yet that today's secret is right; it would be refused"
    REFUSED = "its signature is missing or does not fit"


@dataclass(frozen=True, slots=True)
class ReceiptAddress:
    """One address of a service as its endpoint must know it.

    `secrets` are those that a post must be signed with, today's first; none where no signature is asked for. `proved` are the kinds of
    post (`PostKind`) for which today's secret, known by its `mark`, has fitted once.
    """

    service_id: int
    correlation_key: str
    secrets: tuple[str, ...] = ()
    algorithm: signature.Algorithm = "sha256"
    came_to: str = CameTo.NOTIFY_URL
    mark: str = ""
    proved: frozenset[str] = frozenset()

    def judge(self, raw: bytes, header: str, *, kind: str) -> Verdict:
        """Until a secret has fitted once nothing is refused: it may be mistyped, or Webex Connect may not sign at all."""
        if not self.secrets:
            return Verdict.GENUINE
        if kind in self.proved:
            return Verdict.GENUINE if self._fits(raw, header, self.secrets) else Verdict.REFUSED
        if self._fits(raw, header, self.secrets[:1]):
            return Verdict.PROVES
        return Verdict.GENUINE if self._fits(raw, header, self.secrets[1:]) else Verdict.UNPROVEN

    def _fits(self, raw: bytes, header: str, secrets: tuple[str, ...]) -> bool:
        return signature.verify(raw, header, secrets=secrets, algorithm=self.algorithm)


class _Owner(NamedTuple):
    service_id: int
    came_to: CameTo
    until: datetime | None = None


class ReceiptAddresses:
    """Addresses by their token, remembered for a few seconds, and for as long as the database is away. One thread reads them again,
    while the others use what is known.

    A token is looked up in memory by its digest, so that neither our timing nor the database's says anything about tokens. Two are
    valid while one is changed: today's, and the previous one until its end.
    """

    def __init__(self, *, ttl: float = 5.0) -> None:
        self.ttl = ttl
        self._tokens: dict[bytes, _Owner] = {}
        self._addresses: dict[tuple[int, CameTo], tuple[float, ReceiptAddress]] = {}
        self._read_at = float("-inf")
        self._trouble: Exception | None = None
        self._reading = threading.Lock()

    def find(self, token: str) -> ReceiptAddress | None:
        """The address in use with this token. Raises what the database raised for one that is not known."""
        owner = self._owner(token)
        if owner is None or owner.came_to == CameTo.RETIRED or _ended(owner):
            return None
        return self._address_of(owner)

    def owner_of_retired(self, token: str) -> int | None:
        """The service that had an address before it ended."""
        owner = self._owner(token)
        return owner.service_id if owner else None

    def forget(self) -> None:
        self._tokens.clear()
        self._addresses.clear()
        self._read_at = float("-inf")

    def look_again(self, service_id: int) -> None:
        """What was remembered of a service has just changed. What cannot be read again is kept."""
        if database.away():
            return
        for came_to in CameTo:
            self._addresses.pop((service_id, came_to), None)

    def _owner(self, token: str) -> _Owner | None:
        key = digest_of(token)
        sure = key in self._tokens and self._trouble is None
        if database.away():
            self._trouble = self._trouble or OperationalError("the database is away")
        elif self._is_old(sure) and self._reading.acquire(timeout=0 if key in self._tokens else WAIT):
            try:
                if self._is_old(sure):  # nobody read them while we waited
                    self._read_tokens()
            finally:
                self._reading.release()
        if self._trouble is not None and key not in self._tokens:
            raise self._trouble  # another process may have made it a moment ago
        return self._tokens.get(key)

    def _is_old(self, sure: bool) -> bool:
        return time.monotonic() - self._read_at > (self.ttl if sure else min(self.ttl, SOON))

    def _read_tokens(self) -> None:
        columns = ("receipt_token", "receipt_token_before", "receipt_token_until")
        of_webhook = ("webhook_token", "webhook_token_before", "webhook_token_until")
        try:
            rows = list(Service.objects.order_by().values_list("pk", *columns, *of_webhook))
            retired = list(RetiredAddress.objects.order_by().values_list("digest", "service_id"))
        except Error as trouble:
            _report(trouble)
            if self._read_at == float("-inf"):
                raise
            self._read_at, self._trouble = time.monotonic(), trouble  # what we know still holds
            return
        self._trouble = None
        tokens = {bytes(digest): _Owner(pk, CameTo.RETIRED) for digest, pk in retired}
        for pk, *of_both in rows:
            for came_to, (today, before, until) in (
                (CameTo.NOTIFY_URL, of_both[:3]),
                (CameTo.WEBHOOK, of_both[3:]),
            ):
                if before and until:
                    tokens[digest_of(before)] = _Owner(pk, came_to, until)
                tokens[digest_of(today)] = _Owner(pk, came_to)
        self._tokens, self._read_at = tokens, time.monotonic()

    def _address_of(self, owner: _Owner) -> ReceiptAddress | None:
        key = (owner.service_id, owner.came_to)
        until, known = self._addresses.get(key, (0.0, None))
        if known is not None and (until > time.monotonic() or database.away()):
            return known
        if known is not None:  # others use it while we read
            self._addresses[key] = (time.monotonic() + SOON, known)
        try:
            made = _read(*key)
        except Error as trouble:
            _report(trouble)
            if known is None:
                raise
            return known
        if made is not None:
            self._addresses[key] = (time.monotonic() + self.ttl, made)
        return made


def _report(trouble: Error) -> None:
    if is_away(trouble):
        database.report(trouble)


def digest_of(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _ended(owner: _Owner) -> bool:
    return owner.until is not None and owner.until <= corrected_now()


def _read(service_id: int, came_to: CameTo) -> ReceiptAddress | None:
    """Reads no secret that it does not need: one that cannot be opened must not stop receipts."""
    needed = ("correlation_key", "receipt_algorithm", "notify_url_signed")
    service = Service.objects.only(*needed).filter(pk=service_id).first()
    if service is None:
        return None
    if (came_to == CameTo.NOTIFY_URL and not service.notify_url_signed) or not service.receipt_secret:
        return ReceiptAddress(service.pk, service.correlation_key, came_to=came_to)
    mark = service.signature_mark
    proved = PostTally.objects.filter(service=service, came_to=came_to, mark=mark, proved_at__isnull=False)
    return ReceiptAddress(
        service.pk,
        service.correlation_key,
        tuple(service.receipt_secrets),
        cast(signature.Algorithm, service.receipt_algorithm),
        came_to,
        mark,
        frozenset(proved.order_by().values_list("kind", flat=True)),
    )


# One for the process: it must know services when the database goes away
receipt_addresses = ReceiptAddresses()
