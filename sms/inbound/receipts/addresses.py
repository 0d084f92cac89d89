"""Whose receipts come to an address, and whether they are genuine."""

import hashlib
import time
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from sms.models import Service
from sms.webex import signature

SOON = 1.0  # seconds after which an unknown address may be looked up again


@dataclass(frozen=True, slots=True)
class ReceiptAddress:
    """A service as the endpoint of its receipts must know it."""

    service_id: int
    correlation_key: str
    secrets: tuple[str, ...]
    algorithm: signature.Algorithm

    def genuine(self, raw: bytes, header: str) -> bool:
        """True where no signature is expected, or where it fits one of today's secrets."""
        return not self.secrets or signature.verify(
            raw, header, secrets=self.secrets, algorithm=self.algorithm
        )


class ReceiptAddresses:
    """Services by their token, remembered for a few seconds, and for as long as the database is away.

    A token is looked up in memory by its digest, so that neither our timing nor the database's says anything about tokens. Two are
    valid while they are changed: today's, and the previous one until its end.
    """

    def __init__(self, *, ttl: float = 5.0) -> None:
        self.ttl = ttl
        self._tokens: dict[bytes, tuple[int, datetime | None]] = {}
        self._addresses: dict[int, tuple[float, ReceiptAddress]] = {}
        self._read_at = float("-inf")
        self._trouble: Exception | None = None

    def find(self, token: str) -> ReceiptAddress | None:
        """The service whose receipts come to this token. Raises what the database raised for one that is not known."""
        key = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        sure = key in self._tokens and self._trouble is None
        if time.monotonic() - self._read_at > (self.ttl if sure else min(self.ttl, SOON)):
            self._read_tokens()
        if self._trouble is not None and key not in self._tokens:
            raise self._trouble  # another process may have made it a moment ago
        service_id, until = self._tokens.get(key, (0, None))
        if not service_id or (until is not None and until <= timezone.now()):
            return None
        return self._address_of(service_id)

    def forget(self) -> None:
        """Forget what is remembered, so that everything is looked up."""
        self._tokens.clear()
        self._addresses.clear()
        self._read_at = float("-inf")

    def _read_tokens(self) -> None:
        try:
            rows = list(
                Service.objects.order_by().values_list(
                    "pk", "receipt_token", "receipt_token_before", "receipt_token_until"
                )
            )
        except (DatabaseError, InterfaceError) as trouble:
            if self._read_at == float("-inf"):
                raise
            self._read_at, self._trouble = time.monotonic(), trouble  # what we know still holds
            return
        self._trouble = None
        tokens: dict[bytes, tuple[int, datetime | None]] = {}
        for pk, today, before, until in rows:
            if before and until:
                tokens[hashlib.sha256(before.encode()).digest()] = (pk, until)
            tokens[hashlib.sha256(today.encode()).digest()] = (pk, None)
        self._tokens, self._read_at = tokens, time.monotonic()

    def _address_of(self, service_id: int) -> ReceiptAddress | None:
        until, known = self._addresses.get(service_id, (0.0, None))
        if known is not None and until > time.monotonic():
            return known
        try:
            service = Service.objects.filter(pk=service_id).first()
        except (DatabaseError, InterfaceError):
            if known is None:
                raise
            self._addresses[service_id] = (time.monotonic() + SOON, known)
            return known
        if service is None:
            return None
        made = ReceiptAddress(
            service.pk,
            service.correlation_key,
            tuple(service.receipt_secrets),
            cast(signature.Algorithm, service.receipt_algorithm),
        )
        self._addresses[service_id] = (time.monotonic() + self.ttl, made)
        return made


receipt_addresses = (
    ReceiptAddresses()
)  # one for the process: it must know services when the database goes away
