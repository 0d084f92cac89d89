"""A second pair of eyes: a service's approval rules, what was asked because of them, and who answered what.

`sms.compose.approval` writes requests, `sms.sends.answers` decisions. Nothing here decides anything.
"""

from datetime import time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import CASCADE, SET_NULL, CheckConstraint, Index, Q, UniqueConstraint
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sms.models.guard import Guarded, Weaker, any_change, fewer, more, on_guard
from sms.models.personal import PersonalData
from sms.models.service import Service
from sms.values.quiet_hours import QuietHours

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MOST_APPROVERS = 2
CAUSES = ("size_approvers", "new_sender", "new_domain", "new_country", "outside_hours")


class Approvers(models.IntegerChoices):
    """How many people other than the composer must approve."""

    NONE = 0, _("No approval")
    ONE = 1, _("One approver")
    TWO = 2, _("Two approvers")


def _approvers(name: "StrOrPromise") -> "models.PositiveSmallIntegerField[int, int]":
    return models.PositiveSmallIntegerField(name, choices=Approvers, default=Approvers.NONE)


def _while(approvers: str, weaker: Weaker) -> Weaker:
    """Weaker only where the rule asked for approvers at all."""
    return lambda stored, before, after: bool(stored[approvers]) and weaker(stored, before, after)


class ApprovalRules(Guarded):
    """One row per service: for each cause the number of approvers. Where several apply, the largest number counts.

    `hours` are the local hours of the service in which composing is ordinary, like 08:00-18:00, over midnight too; `valid_hours` is how
    long an approval holds.
    """

    audit_noun = "approval"
    WEAKER = {  # noqa: RUF012 - read only
        **dict.fromkeys(CAUSES, fewer),
        "size": _while("size_approvers", more),
        "hours": _while("outside_hours", any_change),
        "valid_hours": more,
    }

    service = models.OneToOneField(
        Service, on_delete=CASCADE, primary_key=True, related_name="approval_rules"
    )
    size = models.PositiveIntegerField(
        _("large from"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(10_000_000)],
        help_text=_("Recipients. Empty: size alone needs no approval."),
    )
    size_approvers = _approvers(_("large sends need"))
    new_sender = _approvers(_("a first send from a sender needs"))
    new_domain = _approvers(_("a first send with a short-link domain needs"))
    new_country = _approvers(_("a first send to a country needs"))
    hours = models.CharField(
        _("ordinary hours"),
        max_length=20,
        blank=True,
        help_text=_("Local time of the service, like 08:00-18:00. Empty: any hour is ordinary."),
    )
    outside_hours = _approvers(_("a send outside ordinary hours needs"))
    set_up = models.BooleanField(
        default=False, editable=False, help_text="There were as many approvers once as the rules asked for."
    )
    valid_hours = models.PositiveSmallIntegerField(
        _("an approval holds for"),
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(720)],
        help_text=_("Hours, 1 to 720. After that it has to be asked for again."),
    )

    personal = PersonalData(team="hours")

    class Meta:
        verbose_name_plural = _("approval rules")
        constraints = (
            CheckConstraint(
                name="approval_rules_ask_at_most_two",
                condition=Q(**{f"{cause}__lte": MOST_APPROVERS for cause in CAUSES}),
            ),
            CheckConstraint(
                name="approval_of_size_has_its_size", condition=Q(size_approvers=0) | Q(size__gte=1)
            ),
            CheckConstraint(
                name="approval_outside_hours_has_its_hours", condition=Q(outside_hours=0) | ~Q(hours="")
            ),
        )

    def __str__(self) -> str:
        return f"approval rules of {self.service_id}"

    @classmethod
    def of(cls, service: Service) -> "ApprovalRules":
        """The service's rules; unsaved ones, which ask for no approval, where it has none yet."""
        return cls.objects.filter(service=service).first() or cls(service=service)

    @classmethod
    def note_set_up(cls, service_id: int) -> None:
        """Called before an approver goes: a service that was set up once is not being set up again."""
        if on_guard(service_id):
            cls.objects.filter(pk=service_id, set_up=False).update(set_up=True)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """More approvers asked for than there are do not make it one that is being set up; rules that ask for none begin anew."""
        self.set_up = self.most > 0 and (self.set_up or on_guard(self.service_id))
        if (only := kwargs.get("update_fields")) is not None:
            kwargs["update_fields"] = {*only, "set_up"}
        super().save(*args, **kwargs)

    @staticmethod
    def asks() -> Q:
        """`most` as a condition: whether they ask for any approval."""
        return Q(*((cause + "__gt", 0) for cause in CAUSES), _connector=Q.OR)

    @property
    def most(self) -> int:
        return max(getattr(self, cause) for cause in CAUSES)

    def ordinary_at(self, at: time) -> bool:
        """Whether that time of the service's clock is within the ordinary hours; any is, where there are none."""
        start, _dash, end = self.hours.partition("-")
        if not end:
            return True
        begin, until = time.fromisoformat(start), time.fromisoformat(end)
        return begin <= at < until if begin < until else at >= begin or at < until

    def clean(self) -> None:
        """A rule has what it needs, and hours are written the one way."""
        wrong: dict[str, str] = {}
        if self.size_approvers and not self.size:
            wrong["size"] = gettext(
                "Give the number of recipients from which a send is large, or choose no approval."
            )
        self.hours = self.hours.strip()
        if self.hours:
            read = _read_hours(self.hours)
            if read is None:
                wrong["hours"] = gettext("“%(hours)s” are no hours. Write them like 08:00-18:00.") % {
                    "hours": self.hours
                }
            else:
                self.hours = read
        elif self.outside_hours:
            wrong["hours"] = gettext("Give the ordinary hours, or choose no approval outside them.")
        if wrong:
            raise ValidationError(wrong)


def _read_hours(text: str) -> str | None:
    """`8:00 - 18:00` → `08:00-18:00`; None where it is no span of hours, or names weekdays."""
    try:
        read = str(QuietHours.parse(text))
    except ValueError:
        return None
    return None if " " in read else read


class ApprovalState(models.TextChoices):
    """open → approved, or one of the ends; an approved one can still become void or expire, until its send has begun."""

    OPEN = "open", _("Waiting for approval")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    VOID = "void", _("Void: it was changed")
    EXPIRED = "expired", _("Expired")
    WITHDRAWN = "withdrawn", _("Withdrawn")


IN_FORCE = (ApprovalState.OPEN, ApprovalState.APPROVED)


class ApprovalRequest(models.Model):
    """The question whether one send may go, exactly as it stands: an approval is of this `fingerprint` and of nothing else.

    `parts` are the digests that the fingerprint is made of, by name, so that a change can be named. `snapshot` is what people read:
    text, sender, times, figures; no recipient's number is in it. `previous` is the request before: of the same send where it was
    changed, or of the same draft where it was taken back.
    """

    service = models.ForeignKey(Service, on_delete=CASCADE, related_name="approval_requests", db_index=False)
    send = models.ForeignKey("sms.Send", on_delete=CASCADE, related_name="approvals")
    draft = models.ForeignKey(
        "sms.Draft", null=True, blank=True, on_delete=SET_NULL, related_name="approvals"
    )
    previous = models.ForeignKey("self", null=True, blank=True, on_delete=SET_NULL, related_name="+")
    state = models.CharField(max_length=10, choices=ApprovalState, default=ApprovalState.OPEN)
    approvers = models.PositiveSmallIntegerField(help_text="How many must approve.")
    eligible = models.PositiveSmallIntegerField(help_text="How many could, when it was asked.")
    rules = models.JSONField(help_text="rule, approvers and a sentence of each that applied.")
    fingerprint = models.CharField(max_length=64)
    parts = models.JSONField()
    snapshot = models.JSONField()
    changed = models.JSONField(default=list, help_text="Parts that differ from the request before.")
    audience_change = models.JSONField(
        default=dict, help_text="Recipients added, removed and the same since the request before."
    )
    at_once = models.BooleanField(help_text="Goes as soon as it is approved; otherwise at its time.")
    due_at = models.DateTimeField(help_text="The time that was asked for.")
    authors = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="+", help_text="Who wrote it: they cannot approve it."
    )
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=SET_NULL, related_name="+"
    )
    asked_label = models.CharField(max_length=254)
    expires_at = models.DateTimeField(
        help_text="Until then it can be answered; once approved, until then the send has to begin."
    )
    ended_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was approved, rejected, or came to nothing."
    )
    ended_by = models.CharField(max_length=254, blank=True)
    released_at = models.DateTimeField(
        null=True, blank=True, help_text="When the send was let go: its time, where it goes at once."
    )
    begun_at = models.DateTimeField(null=True, blank=True, help_text="First claimed by a dispatcher.")
    remind_at = models.DateTimeField(null=True, blank=True, help_text="When approvers are reminded.")

    personal = PersonalData(
        service="service",
        texts="rules parts snapshot changed audience_change",
        team="asked_label ended_by",
        neutral="fingerprint",
    )

    class Meta:
        ordering = ("-id",)
        indexes = (
            # used by: navigation, home, list
            Index(fields=("service", "id"), name="approval_request_open", condition=Q(state="open")),
            Index(fields=("service", "id"), name="approval_request_of_a_service"),  # used by: list
            Index(
                fields=("expires_at",),
                name="approval_request_to_expire",
                condition=Q(state__in=("open", "approved"), begun_at__isnull=True),
            ),  # used by: jobs
            Index(
                fields=("ended_at",), name="approval_request_expired", condition=Q(state="expired")
            ),  # used by: jobs
            Index(
                fields=("remind_at",),
                name="approval_request_to_remind",
                condition=Q(remind_at__isnull=False),
            ),  # used by: jobs
        )
        constraints = (
            UniqueConstraint(
                fields=("send",),
                condition=Q(state__in=("open", "approved")),
                name="send_has_one_approval_in_force",
            ),
            CheckConstraint(
                name="approval_needs_one_or_two_people", condition=Q(approvers__gte=1, approvers__lte=2)
            ),
            CheckConstraint(
                name="approval_is_open_or_has_ended",
                condition=Q(state="open", ended_at__isnull=True)
                | (~Q(state="open") & Q(ended_at__isnull=False)),
            ),
            CheckConstraint(
                name="approval_begins_only_when_approved",
                condition=Q(begun_at__isnull=True) | Q(released_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"approval of send {self.send_id}"


class ApprovalDecision(models.Model):
    """One person's answer to one request; `fingerprint` is what they were shown."""

    request = models.ForeignKey(ApprovalRequest, on_delete=CASCADE, related_name="decisions")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=SET_NULL, related_name="+")
    label = models.CharField(max_length=254)
    approved = models.BooleanField()
    comment = models.CharField(max_length=1000, blank=True)
    fingerprint = models.CharField(max_length=64)
    at = models.DateTimeField()

    personal = PersonalData(service="request__service", texts="comment", team="label", neutral="fingerprint")

    class Meta:
        ordering = ("id",)
        constraints = (
            UniqueConstraint(fields=("request", "by"), name="approval_is_answered_once_per_person"),
            CheckConstraint(name="approval_refused_says_why", condition=Q(approved=True) | ~Q(comment="")),
        )

    def __str__(self) -> str:
        return f"{'approved' if self.approved else 'rejected'} by {self.label}"
