"""When a session ends by itself: unused for too long, or too old. And what is noted at sign-in. A middleware, and receivers of signals.

What a page asks by itself is no use: a send that is watched in a forgotten tab would keep its person signed in for ever.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from portal import account_mail, devices, sessions
from portal.models import PersonsSession

# Asked by the page every few seconds; a test walks the templates.
POLLED = {
    *(
        "approvals_part",
        "draft_here",
        "draft_progress",
        "draft_work",
        "handsets_news",
        "home_live",
        "own_session",
        "report_files_part",
        "send_progress",
        "sends_part",
        "tenant_probe_receipts",
    ),
    *("replies_part", "reply_thread"),
}
MINUTE = timedelta(minutes=1)


class SessionEnds:
    """Middleware, after the one that knows the person."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            session: Any = request.session
            if sessions.is_over(sessions.beginning_of(session), session.used_at, timezone.now()):
                session.flush()
                request.user = AnonymousUser()
        response = self.get_response(request)
        if (user := getattr(request, "remembers", None)) is not None:
            devices.remember(request, response, user)
        return response

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        match = request.resolver_match
        if not request.user.is_authenticated or match is None or match.view_name in POLLED:
            return
        session: Any = request.session
        now = timezone.now()
        if session.used_at is not None and now - session.used_at >= MINUTE:
            session.used_at = now
            # this column alone: what another request of the same session wrote meanwhile stays
            PersonsSession.objects.filter(pk=session.session_key).update(used_at=now)


def _note(request: HttpRequest, user: Any, **_: Any) -> None:
    """At sign-in, before Django notes its time."""
    now, address = timezone.now(), str(request.META.get("REMOTE_ADDR") or "")
    device = devices.words(str(request.META.get("HTTP_USER_AGENT") or ""))
    began = sessions.Beginning(now, address, device)
    request.session[sessions.BEGAN] = began.packed()
    request.session.used_at = now  # type: ignore[attr-defined]
    if address and user.last_login is not None and not devices.known(request, user):
        account_mail.new_device(user, began)
    request.remembers = user  # type: ignore[attr-defined]


def connect() -> None:
    """By `portal.apps`, which stands before Django's own: it would have noted this very sign-in as the last one."""
    user_logged_in.connect(_note, dispatch_uid="session_begins")
