"""Who did what, when and through what. Rows are only ever added, by `audit` in the transaction of the act.

Each row carries a keyed MAC over all that it says (`sms.models.audit_proof`); `sms.compliance.audit` seals rows into one chain
per service a few seconds later, outside the act's transaction, so that acts of a service never wait for each other.
"""

import secrets
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

from django.db import models
from django.db.models import Index, UniqueConstraint
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sms.models import audit_proof
from sms.models.audit_acts import ACTS
from sms.models.personal import PersonalData
from sms.models.service import Service
from sms.models.sql.clock import corrected_now
from sms.models.sql.insert import StatementBatch, insert
from sms.values.msisdn.mention import masked_values

# what people write themselves: a number in it would be there for ever
WRITTEN = frozenset(("because", "comment", "name", "named", "note", "query", "reason", "source", "value"))


class UnknownAct(ValueError):
    """An act that is not in `sms.models.audit_acts`."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The `by=` of every act: a person, an API key, or Textdesk itself.

    `label` is what a reader sees (an e-mail address, a key's name); `door` is page, api, admin, cli or system; `user` is the account
    of a person; `owner` the identity of an API key, which owns what it makes.
    """

    kind: str
    key: str
    label: str
    door: str
    address: str = ""
    user: Any = field(default=None, compare=False, repr=False)
    owner: UUID | None = field(default=None, compare=False, repr=False)

    @classmethod
    def person(cls, user: Any, *, door: str = "page", address: object = "") -> "Actor":
        """Who has an account; `address` is where they call from."""
        return cls("user", str(user.pk), user.email, door, str(address or "")[:45], user)

    @classmethod
    def system(cls, door: str = "system") -> "Actor":
        """Textdesk itself: schedulers, dispatchers, commands without a person."""
        return cls(kind="system", key="", label="Textdesk", door=door)


class DetailsField(models.TextField):
    """A JSON object, kept as the very text that its MAC was made of. PostgreSQL's jsonb would rewrite it."""

    def from_db_value(self, value: str | None, *_unused: Any) -> Any:
        """Text → dict; a text that was broken is shown as it stands."""
        return None if value is None else audit_proof.read_details(value)

    def get_prep_value(self, value: Any) -> Any:
        return audit_proof.canonical(value) if isinstance(value, dict) else value


class AuditEvent(models.Model):
    """One act that matters. No foreign keys: history neither blocks a deletion nor vanishes with it."""

    at = models.DateTimeField(default=timezone.now, editable=False)
    service_slug = models.CharField(max_length=40, blank=True)
    actor_kind = models.CharField(max_length=10)
    actor_key = models.CharField(max_length=60, blank=True)
    actor_label = models.CharField(max_length=254)
    door = models.CharField(max_length=10)
    address = models.CharField(max_length=45, blank=True)
    act = models.CharField(max_length=40)
    noun = models.CharField(max_length=30, blank=True)
    noun_key = models.CharField(max_length=60, blank=True)
    details = DetailsField(default=dict, help_text=_("Never holds a text, a number or a secret."))
    nonce = models.CharField(
        max_length=30,
        default="",
        editable=False,
        help_text="Random, so that two rows never say the same and a digest gives nothing away.",
    )
    mac = models.CharField(max_length=64, default="", editable=False)

    # the columns that the MAC covers, in this order
    PROVEN: ClassVar[tuple[str, ...]] = (
        *("at", "service_slug", "actor_kind", "actor_key", "actor_label", "door", "address"),
        *("act", "noun", "noun_key", "details", "nonce"),
    )

    personal = PersonalData(
        team="actor_label address actor_key",
        neutral="service_slug actor_kind door act noun noun_key details nonce mac",
    )

    class Meta:
        ordering = ("-id",)
        indexes = (
            Index(fields=("service_slug", "id"), name="audit_of_a_service"),  # used by: audit list
            Index(fields=("noun", "noun_key"), name="audit_of_a_noun"),  # used by: send page
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_label} {self.act}"


def audit(
    act: str,
    thing: Any = None,
    /,
    *,
    by: Actor,
    noun: str = "",
    key: object = None,
    service: str = "",
    batch: StatementBatch | None = None,
    **details: object,
) -> None:
    """Add one row; call it inside the act's own transaction. Raises UnknownAct for what is not in the registry.

    `thing` is the model instance that the act was done to: its class says the noun (`audit_noun`), and the service follows from it.
    Where there is no instance, `noun`, `key` and the service's slug say the same. `batch` runs the statement among its own.
    """
    if act not in ACTS:
        raise UnknownAct(f"{act!r} is not in sms.models.audit_acts; add it there with its words.")
    if thing is not None:
        noun = noun or thing.audit_noun
        key = thing.pk if key is None else key
        service = service or _slug_of(thing)
    now, text, nonce = (
        corrected_now(),
        audit_proof.canonical(_quiet(details, noun)),
        secrets.token_urlsafe(16),
    )
    named = "" if key is None else str(key)
    words = (service, by.kind, by.key, by.label, by.door, by.address, act, noun, named)
    clean = [audit_proof.clean(word) for word in words]
    said = audit_proof.body((audit_proof.written(now), *clean, text, nonce))
    mac = audit_proof.audit_keys.of(clean[0])[0].mac(said)
    insert(AuditEvent, (*AuditEvent.PROVEN, "mac"), [(now, *clean, text, nonce, mac)], batch=batch)


def _slug_of(thing: Any) -> str:
    """Without loading the service: that would decrypt its secrets."""
    if isinstance(thing, Service):
        return thing.slug
    if getattr(thing, "service_id", None) is None:
        return ""
    if thing._meta.get_field("service").is_cached(thing):
        return str(thing.service.slug)
    return Service.objects.order_by().values_list("slug", flat=True).get(pk=thing.service_id)


def _quiet(details: dict[str, object], noun: str) -> dict[str, object]:
    """Details without numbers of people. A sender's address is the service's own, and which one it was has to be known."""
    if WRITTEN.isdisjoint(details):
        return details
    quiet = WRITTEN - {"named"} if noun == "sender" else WRITTEN
    return {key: masked_values(value) if key in quiet else value for key, value in details.items()}


class AuditSeal(models.Model):
    """A row's place in the chain of its service. It stays when the row leaves by retention."""

    event_id = models.BigIntegerField(primary_key=True)
    service_slug = models.CharField(max_length=40, blank=True)
    number = models.BigIntegerField(help_text="From 1, without gaps.")
    digest = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    mac = models.CharField(max_length=64)

    personal = PersonalData(neutral="service_slug digest hash mac number")

    class Meta:
        ordering = ("service_slug", "number")
        constraints = (
            # used by: sealing (the last one), verify, export
            UniqueConstraint(fields=("service_slug", "number"), name="audit_seal_number_once_per_service"),
        )

    def __str__(self) -> str:
        return f"{self.service_slug or 'installation'} {self.number}"


class AuditLeave(models.Model):
    """Retention's permit for the triggers: rows of a service up to an id may go. It stands within one transaction only."""

    service_slug = models.CharField(max_length=40, blank=True)
    until_id = models.BigIntegerField()

    personal = PersonalData(neutral="service_slug until_id")

    def __str__(self) -> str:
        return f"{self.service_slug or 'installation'} up to {self.until_id}"


class CheckpointPlace(models.Model):
    """How the last delivery to a second place of the checkpoints went, for people who should act. Deliveries do not read it."""

    place = models.CharField(max_length=300, primary_key=True, help_text="As AUDIT_CHECKPOINTS_TO has it.")
    delivered_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(default=timezone.now)
    problem = models.TextField(blank=True, help_text="Why the last delivery failed; empty where it did not.")

    personal = PersonalData(team="place problem")

    def __str__(self) -> str:
        return self.place


class AuditCheck(models.Model):
    """What a whole check of the audit found; see `sms.compliance.audit.check`."""

    at = models.DateTimeField(default=timezone.now)
    host = models.CharField(max_length=100)
    rows = models.BigIntegerField(help_text="Rows that hold.")
    holds = models.BooleanField()
    findings = models.TextField(blank=True, help_text="A sentence a line: what does not hold, or is missing.")
    mac = models.CharField(max_length=64)

    personal = PersonalData(team="findings", neutral="host rows mac")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {'holds' if self.holds else 'does not hold'}"
