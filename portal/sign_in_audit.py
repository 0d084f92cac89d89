"""The audit of the door: who came in, who was refused, who went, and whose locks changed. Connected by `portal.apps`.

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


def signed_in(*, request: HttpRequest, user: Any, **rest: Any) -> None:
    """Through the sign-in page, second factor included."""
    del rest
    audit("user.signed_in", user, by=_person(user, request))


def signed_out(*, request: HttpRequest, user: Any, **rest: Any) -> None:
    del rest
    if user is not None:
        audit("user.signed_out", user, by=_person(user, request))


def refused(*, credentials: dict[str, Any], request: HttpRequest | None = None, **rest: Any) -> None:
    """A wrong password, or an unknown address."""
    del rest
    typed = str(credentials.get("email") or credentials.get("username") or "")
    user = User.objects.filter(email__iexact=typed).first() if typed else None
    by = _person(user, request) if user else Actor("visitor", "", "Somebody", "page", _address(request))
    audit("user.sign_in_refused", user, by=by, noun="user", step="password")


def second_factor_refused(*, request: HttpRequest, user: Any, **rest: Any) -> None:
    """The password was right and the code was not."""
    del rest
    audit("user.sign_in_refused", user, by=_person(user, request), step="second factor")


def password_changed(*, request: HttpRequest, user: Any, **rest: Any) -> None:
    """By the person, or by the link that was sent to them."""
    del rest
    audit("user.password_changed", user, by=_person(user, request))


def factor_added(*, request: HttpRequest, user: Any, authenticator: Any, **rest: Any) -> None:
    """An app, or recovery codes."""
    del rest
    audit("user.second_factor_added", user, by=_person(user, request), kind=str(authenticator.type))


def factor_removed(*, request: HttpRequest, user: Any, authenticator: Any, **rest: Any) -> None:
    """The same, taken away."""
    del rest
    audit("user.second_factor_removed", user, by=_person(user, request), kind=str(authenticator.type))


def connect() -> None:
    """Once, when the application is ready."""
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
