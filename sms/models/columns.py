"""Columns and constraints that several tables have alike."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models
from django.db.models import CheckConstraint, Q

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def empty_text(length: int, help_text: "StrOrPromise" = "") -> "models.CharField[str, str]":
    """A text that is empty where nothing is said, also for statements that leave the column out."""
    return models.CharField(max_length=length, blank=True, default="", db_default="", help_text=help_text)


def made_by_key() -> "models.UUIDField[UUID | None, UUID | None]":
    """Who made it, of what API keys can make (`ApiKey.mine`)."""
    says = "Identity of the API key that made it; none for people."
    return models.UUIDField(null=True, blank=True, editable=False, help_text=says)


def set_together(name: str, moment: str, *texts: str) -> CheckConstraint:
    """A moment and the texts that belong to it: all of them are there, or none is."""
    neither = Q(**{f"{moment}__isnull": True}, **dict.fromkeys(texts, ""))
    both = Q(**{f"{moment}__isnull": False})
    for text in texts:
        both &= ~Q(**{text: ""})
    return CheckConstraint(name=name, condition=neither | both)


class VerbatimField(models.CharField):
    """A text that comes back as it was given: forms leave the spaces at its ends."""

    def formfield(self, *args: Any, **kwargs: Any) -> Any:
        return super().formfield(*args, **{"strip": False, **kwargs})
