"""Mails to a person about their own account, and the end of their other sessions where something changed that opens it.

Receivers of signals, connected by `portal.apps`, so that no way to a new password is without them: pages, the admin site, a command.
No mail has a link that acts. They go out after the change is committed.
"""

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import post_save
from django.http import HttpRequest

from portal import mail_server, sessions
from portal.models import User

NOT_YOU = "If this was not you, tell an admin of your desk at once."
FACTORS = {
    "totp": "an app for codes was",
    "webauthn": "a passkey was",
    "recovery_codes": "recovery codes were",
}


def tell(user: User, subject: str, *says: str, email: str = "") -> None:
    """`says` are paragraphs."""
    words, to = "\n\n".join((*says, NOT_YOU)) + "\n", email or user.email
    transaction.on_commit(partial(mail_server.send, f"Textdesk: {subject}", words, to), robust=True)


def new_device(user: User, began: sessions.Beginning) -> None:
    at = f"{began.at:%-d %B %Y, %H:%M} UTC"
    says = f"There was a sign-in as {user.email} on a device that is new to us: {began.device}, from {began.address}, on {at}."
    end = "If it was you, there is nothing to do. Your open sessions are listed in Textdesk under your name, Where you are signed in."
    tell(user, "a sign-in on a new device", says, end)


def sessions_ended(user: User, *, by: str) -> None:
    """`by` is an admin's address, or empty for the person themselves."""
    who = f"{by} signed you out" if by else "You signed out"
    tell(
        user,
        "you were signed out",
        f"{who} of Textdesk wherever you were signed in. Sign in again where you need it.",
    )


def _on_saved(instance: User, created: bool, **_: Any) -> None:
    """A password that was set (not one that was hashed anew), or a person who may not sign in any more."""
    if created:
        return
    is_new = (
        getattr(instance, "_password", None) is not None
    )  # until it is saved, as Django keeps it for its validators
    if is_new or not instance.is_active:
        sessions.end(instance)
    if is_new:
        says = f"The password of {instance.email} was changed. You are signed out everywhere else."
        tell(instance, "your password was changed", says)


def _on_password(request: HttpRequest, user: Any, **_: Any) -> None:
    """Whoever just set it is on a device of theirs."""
    request.remembers = user  # type: ignore[attr-defined]


def _on_factor(verb: str) -> Any:
    def receiver(request: HttpRequest, user: Any, authenticator: Any = None, **_: Any) -> None:
        sessions.end(user, keep=request.session.session_key)
        kind = str(getattr(authenticator, "type", ""))
        if kind == "recovery_codes" and verb != "replaced":
            return  # they come and go with the other factor
        says = f"For signing in as {user.email}, {FACTORS.get(kind, 'a second factor was')} {verb}."
        tell(user, "your second factor was changed", says, "You are signed out everywhere else.")

    return receiver


def connect() -> None:
    from allauth.account import signals as account
    from allauth.mfa import signals as mfa

    post_save.connect(_on_saved, sender=User, dispatch_uid="account_mail")
    for signal in (account.password_changed, account.password_set, account.password_reset):
        signal.connect(_on_password, dispatch_uid="account_mail")
    for signal, verb in (
        (mfa.authenticator_added, "set up"),
        (mfa.authenticator_removed, "taken away"),
        (mfa.authenticator_reset, "replaced"),
    ):
        signal.connect(_on_factor(verb), weak=False, dispatch_uid="account_mail")
