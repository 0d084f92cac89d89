"""When a send needs a second pair of eyes: a service's approval rules."""

import re

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from sms.models.service import Service

MOST_APPROVERS = 2
_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})", re.ASCII)


class Approvers(models.IntegerChoices):
    """How many people other than the composer must say yes."""

    NONE = 0, "Nobody"
    ONE = 1, "One approver"
    TWO = 2, "Two approvers"


def _approvers(name: str) -> "models.PositiveSmallIntegerField[int, int]":
    return models.PositiveSmallIntegerField(name, choices=Approvers, default=Approvers.NONE)


class ApprovalRules(models.Model):
    """One row per service: for each cause the number of approvers. Where several apply, the largest number counts.

    `hours` are the local hours of the service in which composing is ordinary, like 08:00-18:00, over midnight too; `valid_hours` is how
    long a yes holds.
    """

    service = models.OneToOneField(
        Service, on_delete=models.CASCADE, primary_key=True, related_name="approval_rules"
    )
    size = models.PositiveIntegerField(
        "large from",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(10_000_000)],
        help_text="Recipients. Empty: size alone asks nobody.",
    )
    size_approvers = _approvers("large sends")
    new_sender = _approvers("first send from a sender")
    new_domain = _approvers("first send with a short-link domain")
    new_country = _approvers("first send to a country")
    hours = models.CharField(
        "ordinary hours",
        max_length=20,
        blank=True,
        help_text="Local time of the service, like 08:00-18:00. Empty: any hour is ordinary.",
    )
    outside_hours = _approvers("outside ordinary hours")
    valid_hours = models.PositiveSmallIntegerField(
        "a yes holds for",
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(720)],
        help_text="Hours, 1 to 720. After that it has to be asked for again.",
    )

    class Meta:
        verbose_name_plural = "approval rules"
        constraints = (
            models.CheckConstraint(
                name="approval_rules_ask_at_most_two",
                condition=Q(
                    size_approvers__lte=MOST_APPROVERS,
                    new_sender__lte=MOST_APPROVERS,
                    new_domain__lte=MOST_APPROVERS,
                    new_country__lte=MOST_APPROVERS,
                    outside_hours__lte=MOST_APPROVERS,
                ),
            ),
            models.CheckConstraint(
                name="approval_of_size_has_its_size", condition=Q(size_approvers=0) | Q(size__gte=1)
            ),
            models.CheckConstraint(
                name="approval_outside_hours_has_its_hours", condition=Q(outside_hours=0) | ~Q(hours="")
            ),
        )

    def __str__(self) -> str:
        return f"approval rules of {self.service_id}"

    @classmethod
    def of(cls, service: Service) -> "ApprovalRules":
        """The service's rules; unsaved ones, which ask nobody, where it has none yet."""
        return cls.objects.filter(service=service).first() or cls(service=service)

    @property
    def most(self) -> int:
        """The largest number of approvers that any rule asks for."""
        return max(
            self.size_approvers, self.new_sender, self.new_domain, self.new_country, self.outside_hours
        )

    def clean(self) -> None:
        """A rule has what it needs, and hours are written the one way."""
        wrong: dict[str, str] = {}
        if self.size_approvers and not self.size:
            wrong["size"] = "Give the number of recipients from which a send is large, or ask nobody."
        self.hours = self.hours.strip()
        if self.hours:
            read = _read_hours(self.hours)
            if read is None:
                wrong["hours"] = f"“{self.hours}” are no hours. Write them like 08:00-18:00."
            else:
                self.hours = read
        elif self.outside_hours:
            wrong["hours"] = "Give the ordinary hours, or ask nobody outside them."
        if wrong:
            raise ValidationError(wrong)


def _read_hours(text: str) -> str | None:
    """`8:00 - 18:00` → `08:00-18:00`; None where it is no span of hours."""
    found = _HOURS.fullmatch(text)
    if found is None:
        return None
    start_hour, start_minute, end_hour, end_minute = map(int, found.groups())
    start, end = (start_hour, start_minute), (end_hour, end_minute)
    if start == end or max(start_hour, end_hour) > 23 or max(start_minute, end_minute) > 59:
        return None
    return f"{start_hour:02}:{start_minute:02}-{end_hour:02}:{end_minute:02}"
