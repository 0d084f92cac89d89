"""Mails to a person about their own account, and the end of their other sessions where something changed that opens it.

Receivers of signals, connected by `portal.apps`, so that no way to a new password is without them: pages, the admin site, a command.
No mail has a link that acts. They go out after the change is committed.
"""

from collections.abc import Callable
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models.signals import post_save
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal import mail_server, sessions
from portal.models import User
from sms.words import in_language, moment

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SET_UP, TAKEN_AWAY, REPLACED = "set up", "taken away", "replaced"
FACTORS: dict[str, dict[str, "StrOrPromise"]] = {  # by what was done, and of what kind
    SET_UP: {
        "totp": gettext_lazy("For signing in as %(email)s, an app for codes was set up."),
        "webauthn": gettext_lazy("For signing in as %(email)s, a passkey was set up."),
        "recovery_codes": gettext_lazy("For signing in as %(email)s, recovery codes were set up."),
        "": gettext_lazy("For signing in as %(email)s, a second factor was set up."),
    },
    TAKEN_AWAY: {
        "totp": gettext_lazy("For signing in as %(email)s, an app for codes was taken away."),
        "webauthn": gettext_lazy("For signing in as %(email)s, a passkey was taken away."),
        "recovery_codes": gettext_lazy("For signing in as %(email)s, recovery codes were taken away."),
        "": gettext_lazy("For signing in as %(email)s, a second factor was taken away."),
    },
    REPLACED: {
        "totp": gettext_lazy("For signing in as %(email)s, an app for codes was replaced."),
        "webauthn": gettext_lazy("For signing in as %(email)s, a passkey was replaced."),
        "recovery_codes": gettext_lazy("For signing in as %(email)s, recovery codes were replaced."),
        "": gettext_lazy("For signing in as %(email)s, a second factor was replaced."),
    },
}


def in_theirs(mail: Callable[..., None]) -> Callable[..., None]:
    """A mail in the language of the person whose account it is about."""

    @wraps(mail)
    def made(user: User, *args: Any, **named: Any) -> None:
        with in_language(user.language):
            mail(user, *args, **named)

    return made


def tell(user: User, subject: str, *says: str) -> None:
    """`says` are paragraphs."""
    not_you = _("If this was not you, tell an admin of your desk at once.")
    words = "\n\n".join((*says, not_you)) + "\n"
    transaction.on_commit(partial(mail_server.send, f"Textdesk: {subject}", words, user.email), robust=True)


@in_theirs
def new_device(user: User, began: sessions.Beginning) -> None:
    says = _(
        "There was a sign-in as %(email)s on a device that is new to us: %(device)s, from %(address)s, on %(time)s UTC."
    ) % {
        "email": user.email,
        "device": began.shown_device,
        "address": began.address,
        "time": moment(began.at, "j F Y, H:i"),
    }
    end = _(
        "If it was you, there is nothing to do. Your open sessions are listed in Textdesk under your name, Where you are signed in."
    )
    tell(user, _("a sign-in on a new device"), says, end)


@in_theirs
def sessions_ended(user: User, *, by: str) -> None:
    """`by` is an admin's address, or empty for the person themselves."""
    says = (
        _(
            "%(admin)s signed you out of Textdesk wherever you were signed in. Sign in again where you need it."
        )
        if by
        else _("You signed out of Textdesk wherever you were signed in. Sign in again where you need it.")
    )
    tell(user, _("you were signed out"), says % {"admin": by})


def _on_saved(instance: User, created: bool, **_unused: Any) -> None:
    """A password that was set (not one that was hashed anew), or a person who may not sign in any more."""
    if created:
        return
    is_new = (
        getattr(instance, "_password", None) is not None
    )  # until it is saved, as Django keeps it for its validators
    if is_new or not instance.is_active:
        sessions.end(instance)
    if is_new:
        _password_changed(instance)


@in_theirs
def _password_changed(user: User) -> None:
    says = _("The password of %(email)s was changed. You are signed out everywhere else.")
    tell(user, _("your password was changed"), says % {"email": user.email})


def _on_password(request: HttpRequest, user: Any, **_unused: Any) -> None:
    """Whoever just set it is on a device of theirs."""
    request.remembers = user  # type: ignore[attr-defined]


def _on_factor(verb: str) -> Any:
    def receiver(request: HttpRequest, user: Any, authenticator: Any = None, **_unused: Any) -> None:
        sessions.end(user, keep=request.session.session_key)
        kind = str(getattr(authenticator, "type", ""))
        if kind == "recovery_codes" and verb != REPLACED:
            return  # they come and go with the other factor
        _factor_changed(user, FACTORS[verb].get(kind) or FACTORS[verb][""])

    return receiver


@in_theirs
def _factor_changed(user: User, says: "StrOrPromise") -> None:
    end = _("You are signed out everywhere else.")
    tell(user, _("your second factor was changed"), says % {"email": user.email}, end)


def connect() -> None:
    from allauth.account import signals as account
    from allauth.mfa import signals as mfa

    post_save.connect(_on_saved, sender=User, dispatch_uid="account_mail")
    for signal in (account.password_changed, account.password_set, account.password_reset):
        signal.connect(_on_password, dispatch_uid="account_mail")
    for signal, verb in (
        (mfa.authenticator_added, SET_UP),
        (mfa.authenticator_removed, TAKEN_AWAY),
        (mfa.authenticator_reset, REPLACED),
    ):
        signal.connect(_on_factor(verb), weak=False, dispatch_uid="account_mail")
