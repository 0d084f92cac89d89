"""How often a key may call: so many requests in each minute of the clock, counted in the database for every process together.

A process takes a hundredth of the minute's requests at a time and uses them up from memory, so most requests write nothing. The limit
is never exceeded; what a process took and did not use is at most a hundredth less.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from sms.api.waiting import asked_before
from sms.catalogue.caps.minutes import UNIT
from sms.catalogue.caps.standing import CapStanding
from sms.catalogue.caps.wants import MICROS
from sms.compose.spending import CapRefused
from sms.models import ApiKey, ApiKeyUse
from sms.models.sql.clock import corrected_now

SHARE = 100
MINUTE, DAY = 60, 86_400


@dataclass(slots=True)
class MinuteBudget:
    """What this process may still spend of a key's minute; `left` is what others may still take."""

    minute: int
    limit: int
    held: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class RateVerdict:
    """Whether a request may be answered, its `RateLimit` headers, and the seconds to wait where it may not."""

    allowed: bool
    headers: dict[str, str]
    wait: int = 0


class MinuteBudgets:
    """What each key may still spend, as this process holds it."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._budgets: dict[int, MinuteBudget] = {}

    def spend(self, key: ApiKey) -> RateVerdict:
        """Take one request from the key's minute."""
        now = self.clock()
        minute, limit = int(now // MINUTE), key.per_minute
        with self._lock:
            budget = self._budgets.get(key.pk)
            if budget is not None and (budget.minute < minute or budget.limit != limit):
                budget = None
            if budget is not None and budget.held:
                budget.held -= 1
                return RateVerdict(allowed=True, headers=self._headers(budget, now))
        if budget is None or budget.left:
            wanted = max(limit // SHARE, 1)
            given, left, of = ApiKeyUse.take(key.pk, minute=minute, wanted=wanted, limit=limit)
            with self._lock:
                kept = self._budgets.get(key.pk)
                if kept is None or kept.minute != of or kept.limit != limit:
                    kept = self._budgets[key.pk] = MinuteBudget(of, limit)
                kept.held, kept.left = kept.held + given, left
                budget = kept
                allowed = budget.held > 0
                budget.held -= allowed
        else:
            allowed = False
        headers = self._headers(budget, now)
        return RateVerdict(allowed, headers, 0 if allowed else int(headers["RateLimit-Reset"]))

    @staticmethod
    def _headers(budget: MinuteBudget, now: float) -> dict[str, str]:
        """Both spellings: the three that most clients read, and the two of the later IETF drafts."""
        left, reset = budget.held + budget.left, max(int((budget.minute + 1) * MINUTE - now) + 1, 1)
        return {
            "RateLimit-Limit": str(budget.limit),
            "RateLimit-Remaining": str(left),
            "RateLimit-Reset": str(reset),
            "RateLimit-Policy": f'"key";q={budget.limit};w={MINUTE}',
            "RateLimit": f'"key";r={left};t={reset}',
        }


budgets = MinuteBudgets()


def tell_caps(request: HttpRequest, left: Iterable[CapStanding]) -> None:
    """Behind what is left of the rate, what the caps of the key leave: `"messages"` a minute, `"segments"` a day, `"segments-FR"` of them
    to one country, `"money"` in whole units of its currency."""
    headers: dict[str, str] = getattr(request, "rate_limit", {})
    now = corrected_now()
    for one in left:
        window = MINUTE if one.unit == UNIT else DAY
        per = MICROS if one.is_money else 1
        reset = max(int((one.free_at - now).total_seconds()) + 1, 1)
        headers["RateLimit-Policy"] += f', "{one.label}";q={one.cap // per};w={window}'
        headers["RateLimit"] += f', "{one.label}";r={one.left // per};t={reset}'


class KeyThrottle(BaseThrottle):
    """DRF's way to ask. The headers wait in `request._request.rate_limit` for `RateLimited`."""

    def allow_request(self, request: Request, view: Any) -> bool:
        if asked_before(request._request).seconds:  # by the front, for one that waits and was counted
            self._wait = 0
            return True
        key: ApiKey = request.auth  # type: ignore[assignment]  # drf-stubs know tokens only
        verdict = budgets.spend(key)
        self._wait = verdict.wait
        request._request.rate_limit = verdict.headers  # type: ignore[attr-defined]
        return verdict.allowed

    def wait(self) -> float | None:
        return self._wait or None


class RateLimited:
    """Before a view of DRF: its answers say what is left of the key's rate, and of its caps where those were asked."""

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, CapRefused):
            tell_caps(self.request._request, exc.left)  # type: ignore[attr-defined]
        return super().handle_exception(exc)  # type: ignore[misc]

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        for name, value in getattr(getattr(request, "_request", request), "rate_limit", {}).items():
            answer.headers[name] = value
        return answer
