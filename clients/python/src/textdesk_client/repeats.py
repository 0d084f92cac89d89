"""Repeats that cannot do a thing twice: reads, and posts, which all carry an Idempotency-Key."""

import random
import time
import uuid
from collections.abc import Callable
from email.utils import parsedate_to_datetime

import httpx

KEY = "Idempotency-Key"
AGAIN = {408, 429, 500, 502, 503, 504}
READS = {"GET", "HEAD"}


class SafeRepeats(httpx.BaseTransport):
    """In front of another transport. A `Retry-After` longer than `patience` is not waited for: the answer is given back."""

    def __init__(
        self,
        wrapped: httpx.BaseTransport,
        *,
        tries: int,
        patience: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._wrapped = wrapped
        self._tries = max(1, tries)
        self._patience = patience
        self._sleep = sleep

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and KEY not in request.headers:
            request.headers[KEY] = str(uuid.uuid4())
        is_safe = request.method in READS or request.method == "POST"
        if is_safe:
            request.read()  # a file that was streamed could not be sent a second time
        for left in range(self._tries - 1, -1, -1):
            pause = 0.25 * 2 ** (self._tries - 1 - left) * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
            try:
                response = self._wrapped.handle_request(request)
            except httpx.TransportError:
                if not left or not is_safe:
                    raise
                self._sleep(pause)
                continue
            if not left or not is_safe or response.status_code not in AGAIN:
                return response
            asked = seconds_asked(response.headers.get("Retry-After", ""))
            if asked is not None and asked > self._patience:
                return response
            response.close()
            self._sleep(pause if asked is None else max(asked, 0.0))
        raise AssertionError("the last try returns or raises")

    def close(self) -> None:
        self._wrapped.close()


def seconds_asked(retry_after: str) -> float | None:
    """Seconds or a date, as HTTP has it."""
    try:
        return float(retry_after)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(retry_after).timestamp() - time.time()
    except (TypeError, ValueError):
        return None
