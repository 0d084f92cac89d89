"""Secrets at rest: a text field that is Fernet-encrypted in the database and never shown again by any page.

The keyring is filled once by `sms.apps` from `FIELD_KEYS` (newest first); old keys still read, new values use the newest.
"""

from collections.abc import Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.db import models


class UnreadableSecret(RuntimeError):
    """A stored secret that none of today's FIELD_KEYS opens."""


class Keyring:
    def __init__(self) -> None:
        self._box: MultiFernet | None = None

    def load(self, keys: Sequence[str]) -> None:
        """Use these keys from now on; the first one encrypts."""
        self._box = MultiFernet([Fernet(key) for key in keys])

    def seal(self, text: str) -> str:
        """Encrypt; needs `load` before."""
        if self._box is None:
            raise RuntimeError("the keyring was not loaded")
        return self._box.encrypt(text.encode()).decode()

    def open(self, token: str) -> str:
        if self._box is None:
            raise RuntimeError("the keyring was not loaded")
        try:
            return self._box.decrypt(token.encode()).decode()
        except InvalidToken:
            says = "a stored secret cannot be opened with today's FIELD_KEYS; put the key it was written with behind the newest one"
            raise UnreadableSecret(says) from None


keyring = Keyring()


class SecretField(models.TextField):
    """Text, encrypted at rest. Empty stays empty, so that "is it set?" needs no key."""

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        return keyring.open(value) if value else value

    def get_prep_value(self, value: Any) -> Any:
        return keyring.seal(str(value)) if value else value
