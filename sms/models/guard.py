"""What guards the four eyes: which changes weaken it, and the changes that wait for a second person.

A model that approval leans on is `Guarded`: it names the columns whose change weakens it. `sms.guard` holds such a change back; a page that
forgets to ask it is refused when it saves (`watching`), so that a new page cannot be a hole.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar

from django.apps import apps
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import CASCADE, SET_NULL, CheckConstraint, Index, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sms.models.fields import SecretField
from sms.models.personal import PersonalData
from sms.words import moment, retold

# whether the row as it is stored, the value before and the value after make a weaker guard
Weaker = Callable[[Mapping[str, Any], Any, Any], bool]

_watched: ContextVar[bool] = ContextVar("guards_are_watched", default=False)


class GuardedChange(PermissionDenied):
    """A change that weakens what guards approval was about to be stored without being held back."""


@contextmanager
def watching(on: bool = True) -> Iterator[None]:
    """Refuse to store weaker guards meanwhile: for requests. `on=False` is for the change that a second person confirmed."""
    token = _watched.set(on)
    try:
        yield
    finally:
        _watched.reset(token)


def any_change(_stored: Mapping[str, Any], before: Any, after: Any) -> bool:
    return bool(before != after)


def fewer(_stored: Mapping[str, Any], before: Any, after: Any) -> bool:
    """Of numbers where empty means none at all, or for good."""
    return after is not None and (before is None or after < before)


def more(_stored: Mapping[str, Any], before: Any, after: Any) -> bool:
    """Of limits where empty means no limit."""
    return before is not None and (after is None or after > before)


def switched_on(_stored: Mapping[str, Any], before: Any, after: Any) -> bool:
    return bool(after and not before)


class Guarded(models.Model):
    """A row that approval leans on. WEAKER names the columns (as they are stored) whose change can weaken it, and when it does."""

    WEAKER: ClassVar[Mapping[str, Weaker]] = {}

    class Meta:
        abstract = True

    @property
    def guards(self) -> int | None:
        """The key of the service whose approval it guards; None for that of every service."""
        found: int | None = getattr(self, "service_id", self.pk)
        return found

    @classmethod
    def columns_of(cls, names: Iterable[str] | None) -> list[str]:
        """Of these fields, or of all, those that WEAKER is about, as the database calls them."""
        if names is None:
            return list(cls.WEAKER)
        asked = set(names)
        columns = {one.attname for one in cls._meta.concrete_fields if {one.name, one.attname} & asked}
        return [name for name in cls.WEAKER if name in columns]

    def weakened(self, names: Iterable[str] | None = None) -> dict[str, tuple[Any, Any]]:
        """Of these fields (all, where none are named) those that are weaker than they are stored: from what, to what."""
        columns = self.columns_of(names)
        stored = self.as_stored(columns) if columns else {}
        changes = {name: (stored[name], getattr(self, name)) for name in columns}
        return {name: two for name, two in changes.items() if self.WEAKER[name](stored, *two)}

    def as_stored(self, columns: Iterable[str]) -> dict[str, Any]:
        """The row as the database has it, of its secrets only these; what is not stored yet has its defaults."""
        fields = [
            one
            for one in self._meta.concrete_fields
            if one.attname in columns or not isinstance(one, SecretField)
        ]
        rows: Any = type(self)._base_manager.filter(pk=self.pk)
        found: dict[str, Any] | None = rows.values(*(one.attname for one in fields)).first()
        return {one.attname: one.get_default() for one in fields} if found is None else found

    def save(self, *args: Any, **kwargs: Any) -> None:
        only = kwargs.get("update_fields")
        asks = _watched.get() and self.columns_of(only)
        if asks and (weak := self.weakened(only)) and on_guard(self.guards):
            raise GuardedChange(f"{', '.join(weak)} would be weaker; that waits for a second person.")
        super().save(*args, **kwargs)

    def settle(self, _names: list[str]) -> list[str]:
        """A change that waited was put on the row: adapt what hangs on it, and name the further columns to store."""
        return []


def on_guard(service_id: int | None) -> bool:
    """Whether weaker guards have to wait: approval is on, and the service is set up. None asks whether it is so for any service.

    A service that has sent nothing, and never had as many approvers as its rules ask for, is still being set up: nothing could be approved.
    """
    rules: Any = apps.get_model("sms", "ApprovalRules")
    on = rules.objects.filter(rules.asks())
    if service_id is None:
        return any(on_guard(pk) for pk in on.values_list("pk", flat=True))
    found = on.filter(pk=service_id).select_related("service").first()
    if found is None:
        return False
    if found.set_up or found.service.sends.filter(test=False, simulated=False).exists():
        return True
    approvers = found.service.memberships.filter(role="approver", user__is_active=True)
    return bool(approvers.values("user").distinct().count() >= found.most)


class ChangeState(models.TextChoices):
    """What became of a change."""

    WAITING = "waiting", _("Waiting")
    CONFIRMED = "confirmed", _("Confirmed")
    ELAPSED = "elapsed", _("In effect after its time")
    AT_ONCE = "at_once", _("In effect at once, by an operator of the host")
    DECLINED = "declined", _("Declined")
    VOID = "void", _("Void")


class WaitingChange(models.Model):
    """A change that weakens what guards approval. It waits for a second person, or until `takes_effect_at`.

    `operations` are what it does, as JSON: model, key, and each column from what to what; sealed, since keys of the provider are among
    them, and emptied when it has ended. `says` is the same for people. Without a `service` it is about all of them.
    """

    audit_noun = "guard"

    service = models.ForeignKey(
        "sms.Service", null=True, blank=True, on_delete=CASCADE, related_name="waiting_changes"
    )
    title = models.CharField(max_length=200)
    says = models.JSONField(
        default=list, help_text="Of each column its name, and from what to what, in words."
    )
    operations = SecretField()
    touches = models.CharField(
        max_length=100, help_text="The row that is changed, so that a later change takes its place."
    )
    state = models.CharField(max_length=10, choices=ChangeState, default=ChangeState.WAITING)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=SET_NULL, related_name="+"
    )
    asked_label = models.CharField(max_length=254)
    takes_effect_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=254, blank=True)
    because = models.CharField(max_length=300, blank=True)

    personal = PersonalData(
        service="service",
        texts="because",
        team="title says operations asked_label ended_by",
        neutral="touches",
    )

    class Meta:
        ordering = ("-id",)
        indexes = (
            # used by: jobs, home, the page of waiting changes
            Index(fields=("takes_effect_at",), name="waiting_change_to_come", condition=Q(state="waiting")),
        )
        constraints = (
            CheckConstraint(
                name="change_waits_or_has_ended",
                condition=Q(state="waiting", ended_at__isnull=True)
                | (~Q(state="waiting") & Q(ended_at__isnull=False)),
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def sentence(self) -> str:
        """What happens next, for who asked."""
        takes_effect = timezone.localtime(self.takes_effect_at)
        return gettext(
            "%(title)s: not changed yet. While approval is on, this waits for another admin, who can confirm it under "
            "Set-up › Rules › Waiting changes. Without an answer, it takes effect automatically on %(day)s at %(time)s."
        ) % {
            "title": retold(self.title),
            "day": moment(takes_effect, "j F"),
            "time": moment(takes_effect, "H:i T"),
        }
