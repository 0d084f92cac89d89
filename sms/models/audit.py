"""Who did what, when, by which door. Rows are only ever added, in the transaction of the act they tell of."""

from dataclasses import dataclass

from django.db import models
from django.utils import timezone

from sms.models.insert import Later, insert

COLUMNS = (
    *("at", "service_slug", "actor_kind", "actor_key", "actor_label", "door", "address"),
    *("act", "noun", "noun_key", "details"),
)


@dataclass(frozen=True, slots=True)
class Actor:
    """The `by=` of every act: a person, an API key, or the desk itself.

    `label` is what a reader sees (an e-mail address, a key's name); `door` is page, api, admin, cli or system.
    """

    kind: str
    key: str
    label: str
    door: str
    address: str = ""

    @classmethod
    def system(cls, door: str = "system") -> "Actor":
        """The desk itself: schedulers, dispatchers, commands without a person."""
        return cls(kind="system", key="", label="Textdesk", door=door)


class AuditEvent(models.Model):
    """One act that matters. No foreign keys: history neither blocks a deletion nor vanishes with it."""

    at = models.DateTimeField(auto_now_add=True)
    service_slug = models.CharField(max_length=40, blank=True)
    actor_kind = models.CharField(max_length=10)
    actor_key = models.CharField(max_length=60, blank=True)
    actor_label = models.CharField(max_length=254)
    door = models.CharField(max_length=10)
    address = models.CharField(max_length=45, blank=True)
    act = models.CharField(max_length=40)
    noun = models.CharField(max_length=30, blank=True)
    noun_key = models.CharField(max_length=60, blank=True)
    details = models.JSONField(default=dict, help_text="Never holds a text, a number or a secret.")

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("service_slug", "-id"), name="audit_of_a_service"),  # used by: audit list
            models.Index(fields=("noun", "noun_key"), name="audit_of_a_noun"),  # used by: send page
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_label} {self.act}"

    @classmethod
    def record(
        cls,
        act: str,
        *,
        by: Actor,
        service_slug: str = "",
        noun: str = "",
        noun_key: object = "",
        **details: object,
    ) -> "AuditEvent":
        """Add one row; call it inside the act's own transaction."""
        row = cls._of(act, by, service_slug, noun, noun_key, details)
        row.save(force_insert=True)
        return row

    @classmethod
    def record_later(
        cls,
        later: Later,
        act: str,
        *,
        by: Actor,
        service_slug: str = "",
        noun: str = "",
        noun_key: object = "",
        **details: object,
    ) -> None:
        """The same among other rows that the act inserts `later`."""
        row = cls._of(act, by, service_slug, noun, noun_key, details)
        insert(cls, COLUMNS, [[getattr(row, name) for name in COLUMNS]], later=later)

    @classmethod
    def _of(
        cls,
        act: str,
        by: Actor,
        service_slug: str,
        noun: str,
        noun_key: object,
        details: dict[str, object],
    ) -> "AuditEvent":
        return cls(
            at=timezone.now(),
            act=act,
            service_slug=service_slug,
            actor_kind=by.kind,
            actor_key=by.key,
            actor_label=by.label,
            door=by.door,
            address=by.address,
            noun=noun,
            noun_key=str(noun_key),
            details=details,
        )
