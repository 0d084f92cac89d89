"""Forms of passkeys, stricter than allauth's: only from our own address, with a counter that goes up, and refusals in the audit.

Named in `MFA_FORMS`. What a browser posts as `credential` is a stranger's JSON: whatever is wrong with it is one refusal.
"""

import json
from typing import Any

from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed
from allauth.mfa.webauthn import forms as allauth_forms
from allauth.mfa.webauthn.internal.auth import extract_user_from_response
from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from fido2.utils import websafe_decode
from fido2.webauthn import AuthenticatorData

from portal import passkeys
from portal.models import User
from sms.models import Actor
from sms.models.audit import audit

NOT_TAKEN = gettext_lazy("This passkey was not taken. Try again, or sign in another way.")
CLONED = gettext_lazy(
    "This passkey is not taken: its counter went back, as if there were a copy of it. Sign in another way, remove it under Two-factor "
    "authentication, and tell your admin."
)
# in our words, and too many tries as allauth says it
SAID_ALREADY = ("not_taken", "cloned", "too_many_login_attempts")
MALFORMED = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError)
COUNTER = "sign_count"


def _came_from_us(credential: Any) -> bool:
    """allauth lets subdomains of ours in; a passkey of the desk is used at the desk's address alone."""
    try:
        said = json.loads(websafe_decode(credential["response"]["clientDataJSON"]))
        return bool(said["origin"] == passkeys.origin() and not said.get("crossOrigin"))
    except MALFORMED:
        return False


class CheckedPasskey(allauth_forms.AuthenticateWebAuthnForm):
    """One that was added before, used."""

    def clean_credential(self) -> Authenticator:
        given = self.cleaned_data["credential"]
        try:
            if not _came_from_us(given):
                raise ValidationError(NOT_TAKEN, code="not_taken")
            found = super().clean_credential()
            _count(found, given)
        except MALFORMED:
            problem = ValidationError(NOT_TAKEN, code="not_taken")
        except ValidationError as refused:
            problem = (
                refused if refused.code in SAID_ALREADY else ValidationError(NOT_TAKEN, code="not_taken")
            )
        else:
            return found
        self._record(given)
        raise problem

    def _record(self, given: Any) -> None:
        user = self.user or _owner(given)
        if user is not None:
            request: Any = context.request
            authentication_failed.send(
                sender=Authenticator, request=request, user=user, authenticator=Authenticator(user=user)
            )


def _owner(given: Any) -> User | None:
    try:
        found: User = extract_user_from_response(given)
    except (*MALFORMED, ValidationError):
        return None
    return found


def _count(found: Authenticator, given: Any) -> None:
    """A key counts its signatures, where it counts at all. Of two that are one another's copy, one falls behind (WebAuthn 2, 6.1.1)."""
    now = AuthenticatorData(websafe_decode(given["response"]["authenticatorData"])).counter
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().get(pk=found.pk)
        before = row.data.get(COUNTER, found.wrap().authenticator_data.counter)
        if (now or before) and now <= before:
            raise ValidationError(CLONED, code="cloned")
        row.data[COUNTER] = now
        row.save(update_fields=["data"])


class PasskeyAsSecondFactor(CheckedPasskey):
    """After the password."""


class PasskeyAlone(CheckedPasskey):
    """Instead of a password. Whose it is, the passkey says."""

    passwordless = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, user=None, **kwargs)


class PasskeyAgain(CheckedPasskey):
    """Before the own sign-in is changed."""

    reauthenticated = True


class NewPasskey(allauth_forms.AddWebAuthnForm):
    name = forms.CharField(
        required=False,
        max_length=60,
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("By which you know it later, like “Laptop” or “Blue key”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    passwordless = forms.BooleanField(
        required=False,
        initial=True,
        label=gettext_lazy("Sign in with it alone"),
        help_text=gettext_lazy(
            "Without your password. The device asks for your fingerprint, your face or its PIN."
        ),
    )

    def clean(self) -> dict[str, Any]:
        try:
            if self.cleaned_data.get("credential") and not _came_from_us(self.cleaned_data["credential"]):
                raise ValidationError(NOT_TAKEN)
            cleaned: dict[str, Any] = super().clean()
        except (*MALFORMED, ValidationError):
            raise ValidationError(
                _(
                    "This passkey was not added. Load the page again and try once more, or take another device."
                )
            ) from None
        return cleaned


class PasskeyName(allauth_forms.EditWebAuthnForm):
    name = forms.CharField(max_length=60, label=gettext_lazy("Name"))

    def save(self) -> Authenticator:
        with transaction.atomic():
            renamed: Authenticator = super().save()
            request: Any = context.request
            by = Actor.person(request.user, address=request.META.get("REMOTE_ADDR"))
            audit("user.passkey_renamed", request.user, by=by, key=request.user.pk)
        return renamed
