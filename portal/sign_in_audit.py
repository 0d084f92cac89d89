"""The audit of sign-ins: who signed in or out, who was refused, and whose password or second factor changed. Connected by `portal.apps`.

What was typed into the address field is never kept unless it is the address of a person whom we know: people type passwords there.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_noop

from portal.models import User
from sms.models import Actor
from sms.models.audit import audit


def _address(request: HttpRequest | None) -> str:
    return str(request.META.get("REMOTE_ADDR") or "") if request is not None else ""


def _recorder(act: str, *, with_kind: bool = False, **details: Any) -> Callable[..., None]:
    """A receiver of signals about a person; `with_kind` says whether an app or recovery codes are meant."""

    def receiver(*, request: HttpRequest, user: Any, authenticator: Any = None, **_: Any) -> None:
        if user is not None:
            kind: dict[str, Any] = {"kind": str(authenticator.type)} if with_kind else {}
            audit(act, user, by=Actor.person(user, address=_address(request)), **details, **kind)

    return receiver


def _refused(*, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """A wrong password, or an unknown address."""
    typed = str(credentials.get("email") or credentials.get("username") or "")
    user = User.objects.filter(email__iexact=typed).first() if typed else None
    address = _address(request)
    visitor = Actor("visitor", "", gettext_noop("Unknown person"), "page", address[:45])
    by = Actor.person(user, address=address) if user else visitor
    audit("user.sign_in_refused", user, by=by, noun="user", step="password")


def connect() -> None:
    from allauth.account import signals as account
    from allauth.mfa import signals as mfa
    from django.contrib.auth.signals import user_login_failed

    # by the person, or by the link that was sent to them
    password_changed = _recorder("user.password_changed")
    for signal, receiver in (
        (account.user_logged_in, _recorder("user.signed_in")),  # second factor included
        (account.user_logged_out, _recorder("user.signed_out")),
        (user_login_failed, _refused),
        (mfa.authentication_failed, _recorder("user.sign_in_refused", step="second factor")),
        (account.password_changed, password_changed),
        (account.password_set, password_changed),
        (account.password_reset, password_changed),
        (mfa.authenticator_added, _recorder("user.second_factor_added", with_kind=True)),
        (mfa.authenticator_reset, _recorder("user.recovery_codes_made")),
        (mfa.authenticator_removed, _recorder("user.second_factor_removed", with_kind=True)),
    ):
        signal.connect(receiver, weak=False, dispatch_uid="sign_in_audit")
