"""The audit of sign-ins: who signed in or out, who was refused, and whose password or second factor changed. Connected by `portal.apps`.

What was typed into the address field is never kept unless it is the address of a person whom we know: people type passwords there.
"""

from typing import Any

from django.http import HttpRequest

from portal.models import User
from sms.models import Actor
from sms.models.audit import audit


def _person(user: Any, request: HttpRequest | None) -> Actor:
    return Actor("user", str(user.pk), user.email, "page", _address(request))


def _address(request: HttpRequest | None) -> str:
    return str(request.META.get("REMOTE_ADDR") or "")[:45] if request is not None else ""


def _record(act: str, request: HttpRequest, user: Any, **details: Any) -> None:
    if user is not None:
        audit(act, user, by=_person(user, request), **details)


def signed_in(*, request: HttpRequest, user: Any, **_: Any) -> None:
    """Second factor included."""
    _record("user.signed_in", request, user)


def signed_out(*, request: HttpRequest, user: Any, **_: Any) -> None:
    _record("user.signed_out", request, user)


def refused(*, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """A wrong password, or an unknown address."""
    typed = str(credentials.get("email") or credentials.get("username") or "")
    user = User.objects.filter(email__iexact=typed).first() if typed else None
    by = _person(user, request) if user else Actor("visitor", "", "Unknown person", "page", _address(request))
    audit("user.sign_in_refused", user, by=by, noun="user", step="password")


def second_factor_refused(*, request: HttpRequest, user: Any, **_: Any) -> None:
    _record("user.sign_in_refused", request, user, step="second factor")


def password_changed(*, request: HttpRequest, user: Any, **_: Any) -> None:
    """By the person, or by the link that was sent to them."""
    _record("user.password_changed", request, user)


def factor_added(*, request: HttpRequest, user: Any, authenticator: Any, **_: Any) -> None:
    """An app, or recovery codes."""
    _record("user.second_factor_added", request, user, kind=str(authenticator.type))


def factor_removed(*, request: HttpRequest, user: Any, authenticator: Any, **_: Any) -> None:
    _record("user.second_factor_removed", request, user, kind=str(authenticator.type))


def connect() -> None:
    from allauth.account import signals as account
    from allauth.mfa import signals as mfa
    from django.contrib.auth.signals import user_login_failed

    for signal, receiver in (
        (account.user_logged_in, signed_in),
        (account.user_logged_out, signed_out),
        (user_login_failed, refused),
        (mfa.authentication_failed, second_factor_refused),
        (account.password_changed, password_changed),
        (account.password_set, password_changed),
        (account.password_reset, password_changed),
        (mfa.authenticator_added, factor_added),
        (mfa.authenticator_removed, factor_removed),
    ):
        signal.connect(receiver, dispatch_uid=f"audit_{receiver.__name__}")
