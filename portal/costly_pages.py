"""Pages that cost a lot, by `costly_pages.toml`: what one person may have of them at once and begin in a minute, and all people together.

Middleware after the one that knows the person, so that one who presses eight times keeps no page from the others. Counted in each
process of the web server, since it is its threads and its memory that run out.
"""

import math
import threading
import time
import tomllib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.body_limits import OF_STRANGERS

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

OF_ONE_PERSON = 4  # at once, of all kinds
OF_ALL_PEOPLE = 6  # at once; `portal.web.front` has two threads more for pages
SOON = 5  # seconds until one of those that run may be over
MINUTE = 60.0
RUNNING: dict[str, "StrOrPromise"] = {
    "files": gettext_lazy("You have %(count)s uploads running, and more at once are not taken."),
    "previews": gettext_lazy("You have %(count)s previews running, and more at once are not taken."),
    "searches": gettext_lazy("You have %(count)s searches running, and more at once are not taken."),
    "exports": gettext_lazy("You have %(count)s downloads running, and more at once are not taken."),
    "checks": gettext_lazy("You have %(count)s checks running, and more at once are not taken."),
}
BEGUN: dict[str, "StrOrPromise"] = {
    "files": gettext_lazy("You began %(count)s uploads within a minute, the most that is taken."),
    "previews": gettext_lazy("You began %(count)s previews within a minute, the most that is taken."),
    "searches": gettext_lazy("You began %(count)s searches within a minute, the most that is taken."),
    "exports": gettext_lazy("You began %(count)s downloads within a minute, the most that is taken."),
    "checks": gettext_lazy("You began %(count)s checks within a minute, the most that is taken."),
}


@dataclass(frozen=True, slots=True)
class CostlyKind:
    """A table of the file."""

    name: str
    at_once: int
    per_minute: int
    pages: frozenset[str]
    short: bool = False  # over so soon that nobody waits for those of others


@dataclass(slots=True)
class PersonsShare:
    """What one person has of one kind."""

    running: int = 0
    begun: deque[float] = field(default_factory=deque)


@cache
def kinds() -> dict[str, CostlyKind]:
    tables = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {
        name: CostlyKind(name, **table | {"pages": frozenset(table["pages"])})
        for name, table in tables.items()
    }


class CostlyPages:
    """Middleware."""

    clock = staticmethod(time.monotonic)
    _lock = threading.Lock()
    _shares: dict[tuple[Any, str], PersonsShare] = {}  # noqa: RUF012 - one for the process
    _running = 0

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            response = self.get_response(request)
        except BaseException:
            self._over(request)
            raise
        if getattr(request, "costly", None):
            if response.streaming:  # it costs until it is made
                response._resource_closers.append(lambda: self._over(request))  # type: ignore[attr-defined]
            else:
                self._over(request)
        return response

    def process_view(
        self, request: HttpRequest, _view: Any, _arguments: Any, _named: Any
    ) -> HttpResponse | None:
        user: Any = getattr(request, "user", None)
        kind = _kind_of(request)
        if kind is None or user is None or not user.is_authenticated:
            return None
        wait, words = self._begin(request, (user.pk, kind.name), kind)
        return _refused(request, wait, words) if wait else None

    @classmethod
    def _begin(cls, request: HttpRequest, key: tuple[Any, str], kind: CostlyKind) -> tuple[int, str]:
        """The seconds to wait, and why; 0 where it may begin."""
        now = cls.clock()
        with cls._lock:
            if len(cls._shares) > 10_000:
                cls._shares = {of: share for of, share in cls._shares.items() if share.running}
            share = cls._shares.setdefault(key, PersonsShare())
            while share.begun and share.begun[0] <= now - MINUTE:
                share.begun.popleft()
            mine = sum(cls._shares[key[0], name].running for name in kinds() if (key[0], name) in cls._shares)
            if share.running >= kind.at_once or mine >= OF_ONE_PERSON:
                if share.running >= kind.at_once:
                    return SOON, RUNNING[kind.name] % {"count": share.running}
                says = _("You have %(count)s of these running, and more at once are not taken.")
                return SOON, says % {"count": mine}
            if len(share.begun) >= kind.per_minute:
                wait = math.ceil(share.begun[0] + MINUTE - now)
                return wait, BEGUN[kind.name] % {"count": len(share.begun)}
            if not kind.short and cls._running >= OF_ALL_PEOPLE:
                return SOON, _("Textdesk is busy with files and downloads of several people.")
            share.running += 1
            share.begun.append(now)
            cls._running += not kind.short
        request.costly = key  # type: ignore[attr-defined]
        return 0, ""

    @classmethod
    def _over(cls, request: HttpRequest) -> None:
        key = getattr(request, "costly", None)
        if key is None:
            return
        request.costly = None  # type: ignore[attr-defined]
        with cls._lock:
            cls._running -= not kinds()[key[1]].short
            if key in cls._shares:
                cls._shares[key].running -= 1

    @classmethod
    def forget(cls) -> None:
        """As a process begins."""
        with cls._lock:
            cls._shares, cls._running = {}, 0


def _kind_of(request: HttpRequest) -> CostlyKind | None:
    name = request.resolver_match.view_name if request.resolver_match else ""
    for kind in kinds().values():
        if name in kind.pages:
            return kind
    length = request.META.get("CONTENT_LENGTH") or "0"
    large = request.method == "POST" and length.isdecimal() and int(length) > OF_STRANGERS
    return kinds()["files"] if large else None


def _refused(request: HttpRequest, wait: int, why: str) -> HttpResponse:
    """As a page, or as what a script of a page shows."""
    again = ngettext(
        "Nothing was done. Press again in %(n)s second; go back for it, what you typed is still there.",
        "Nothing was done. Press again in %(n)s seconds; go back for it, what you typed is still there.",
        wait,
    )
    words = " ".join((why, again % {"n": wait}))
    wait_for = {"Retry-After": str(wait)}
    if request.get_preferred_type(("text/html", "application/json")) == "application/json":
        return JsonResponse({"says": why}, status=429, headers=wait_for)
    context = {"status": 429, "title": _("Too much at once"), "words": words}
    answer = render(request, "body_refused.html", context, status=429)
    answer.headers["Retry-After"] = str(wait)
    return answer
