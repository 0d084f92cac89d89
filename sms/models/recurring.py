"""Sends that come again: a draft with a rhythm, what became of each occurrence, standing approvals, and the holidays of a service.

`sms.sends.recurring` writes these tables; each occurrence is an ordinary send that is made through `sms.compose.create`.
"""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import CASCADE, RESTRICT, SET_NULL, CheckConstraint, F, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sms.models.personal import PersonalData
from sms.values import time_zones
from sms.values.recurrence import LAST, LONGEST_INTERVAL, Frequency, OnHoliday, Rhythm

MOST_TIMES = 1000


class Holiday(models.Model):
    """A day on which a service's recurring sends are left out or moved, where they say so."""

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="holidays", db_index=False)
    on = models.DateField()
    name = models.CharField(max_length=80)

    personal = PersonalData(service="service", team="name")

    class Meta:
        ordering = ("on",)
        constraints = (UniqueConstraint(fields=("service", "on"), name="holiday_is_listed_once"),)

    def __str__(self) -> str:
        return f"{self.name}, {self.on}"


class RecurringSend(models.Model):
    """A draft that is sent again and again. `draft` is what the next occurrence is made of; those before it stay in `contents`.

    Everything up to `passed_until` is dealt with; `next_at` is the next occurrence, and `look_at` when the job has to look: some hours
    before it, or a while after something went wrong. In its own time zone, so that a service that moves takes no send with it.
    """

    audit_noun = "recurring_send"

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        PAUSED = "paused", _("Paused")
        ENDED = "ended", _("Ended")

    class Every(models.TextChoices):
        DAILY = Frequency.DAILY, _("Every day, or every few days")
        WEEKDAYS = Frequency.WEEKDAYS, _("Every weekday, Monday to Friday")
        WEEKLY = Frequency.WEEKLY, _("Every week, on chosen days")
        ON_DATE = Frequency.ON_DATE, _("Every month, on a date")
        ON_WEEKDAY = Frequency.ON_WEEKDAY, _("Every month, on a day of the week")

    class Holidays(models.TextChoices):
        SEND = OnHoliday.SEND, _("Send all the same")
        SKIP = OnHoliday.SKIP, pgettext_lazy("verb", "Leave it out")
        MOVE = OnHoliday.MOVE, _("Send on the next working day")

    class Nth(models.IntegerChoices):
        # Translators: the first Monday of the month; the other four alike
        FIRST = 1, _("First")
        SECOND = 2, _("Second")
        THIRD = 3, _("Third")
        FOURTH = 4, _("Fourth")
        LAST = LAST, _("Last")

    class Ahead(models.IntegerChoices):
        ONE = 1, _("1 hour before")
        FOUR = 4, _("4 hours before")
        TWELVE = 12, _("12 hours before")
        DAY = 24, _("A day before")
        TWO_DAYS = 48, _("Two days before")

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="recurring_sends")
    name = models.CharField(max_length=80)
    draft = models.OneToOneField(
        "sms.Draft",
        on_delete=RESTRICT,
        related_name="recurs_as",
        help_text="What the next occurrence is made of.",
    )
    every = models.CharField(_("how often"), max_length=10, choices=Every, default=Every.WEEKLY)
    at = models.TimeField("at", help_text=_("The local time of the service; it stays when clocks change."))
    interval = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_INTERVAL)],
        help_text=_("1 to 12: 2 means every second day, week or month."),
    )
    days = models.CharField(
        _("days of the week"), max_length=7, blank=True, help_text=_("Of a weekly one: digits, Monday is 0.")
    )
    day = models.PositiveSmallIntegerField(
        _("day of the month"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(31)],
        help_text=_("1 to 31. A month that is shorter gets it on its last day."),
    )
    nth = models.SmallIntegerField(_("which one of the month"), choices=Nth, default=Nth.FIRST)
    weekday = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(6)])
    time_zone = models.CharField(max_length=60, help_text="The service's, when the rhythm was chosen.")
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"), null=True, blank=True)
    times = models.PositiveSmallIntegerField(
        _("how many times"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_TIMES)],
        help_text=_("An occurrence that is skipped or fails counts, a holiday that is left out does not."),
    )
    on_holiday = models.CharField(_("on holidays"), max_length=4, choices=Holidays, default=Holidays.SEND)
    hours_before = models.PositiveSmallIntegerField(
        _("make each send"),
        choices=Ahead,
        default=Ahead.FOUR,
        help_text=_(
            "It then waits for its time. The list is taken as it is at that moment, and approvers are asked."
        ),
    )
    state = models.CharField(max_length=7, choices=State, default=State.RUNNING)
    made = models.PositiveIntegerField(default=0, help_text="The number of its last occurrence.")
    passed_until = models.DateTimeField()
    next_at = models.DateTimeField(null=True, blank=True)
    look_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(
        max_length=500, blank=True, help_text="Why the next occurrence could not be made yet."
    )
    run_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=SET_NULL,
        related_name="+",
        help_text="In whose name occurrences are made: who started, changed or resumed it last.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    personal = PersonalData(service="service", texts="name trouble", neutral="days time_zone")

    class Meta:
        ordering = ("name", "id")
        indexes = (
            # used by: job
            Index(fields=("look_at",), name="recurring_send_to_look_at", condition=Q(state="running")),
        )
        constraints = (
            CheckConstraint(
                name="recurring_send_runs_to_a_next_occurrence",
                condition=~Q(state="running") | Q(next_at__isnull=False, look_at__isnull=False),
            ),
            CheckConstraint(
                name="recurring_send_ends_at_a_time",
                condition=Q(state="ended", ended_at__isnull=False)
                | (~Q(state="ended") & Q(ended_at__isnull=True)),
            ),
            CheckConstraint(
                name="recurring_send_ends_after_it_starts",
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def clock(self) -> str:
        """Its time zone for screens: UTC where this machine does not know the name."""
        return time_zones.or_utc(self.time_zone)

    @property
    def rhythm(self) -> Rhythm:
        return Rhythm(
            frequency=Frequency(self.every),
            at=self.at,
            starts_on=self.starts_on,
            interval=self.interval,
            days=frozenset(map(int, self.days)),
            day=self.day,
            nth=self.nth,
            weekday=self.weekday,
            ends_on=self.ends_on,
            times=self.times,
            on_holiday=OnHoliday(self.on_holiday),
        )


class Occurrence(models.Model):
    """What became of one time of a recurring send. A time has one row, which is why two processes make one send of it.

    One that was made stays as long as its send, which is found through it; others are deleted after KEPT days.
    """

    KEPT = 731  # days, of one that became no send

    class Outcome(models.TextChoices):
        MADE = "made", _("Made")
        SKIPPED = "skipped", _("Skipped")  # by a person
        LEFT_OUT = "left_out", _("Left out")  # a holiday, or a day that does not exist
        MISSED = "missed", _("Missed")
        FAILED = "failed", _("Not made")

    recurring = models.ForeignKey(RecurringSend, on_delete=CASCADE, related_name="occurrences")
    on = models.DateField(help_text="The day of the rhythm.")
    at = models.DateTimeField(help_text="When it was planned.")
    number = models.PositiveIntegerField(null=True, blank=True, help_text="None of one that was left out.")
    outcome = models.CharField(max_length=8, choices=Outcome)
    says = models.CharField(max_length=1000, blank=True, help_text="What is to be said of it.")
    draft = models.ForeignKey(
        "sms.Draft", null=True, blank=True, on_delete=SET_NULL, related_name="occurrences"
    )
    send = models.OneToOneField(
        "sms.Send", null=True, blank=True, on_delete=SET_NULL, related_name="occurrence"
    )
    noted_at = models.DateTimeField()
    noted_by = models.CharField(max_length=254)

    personal = PersonalData(service="recurring__service", texts="says", team="noted_by")

    class Meta:
        ordering = ("-at", "-id")
        constraints = (
            UniqueConstraint(fields=("recurring", "on", "at"), name="occurrence_is_taken_once"),
            UniqueConstraint(
                fields=("recurring", "number"),
                name="occurrence_has_its_number_for_itself",
                condition=Q(number__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"occurrence {self.number or 'that was left out'}"


class StandingApproval(models.Model):
    """One approver's word for the occurrences to come, given with the answer to one request.

    It answers a later request where the send has the same `parts` (its fingerprint without time, numbers and what is filled in from the
    list), is asked for because of the same `rules`, and goes to `most` recipients at most.
    """

    audit_noun = "standing_approval"

    recurring = models.ForeignKey(RecurringSend, on_delete=CASCADE, related_name="standing_approvals")
    request = models.ForeignKey(
        "sms.ApprovalRequest", on_delete=CASCADE, related_name="+", help_text="With which it was given."
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=CASCADE, related_name="+")
    label = models.CharField(max_length=254)
    parts = models.JSONField()
    rules = models.JSONField()
    recipients = models.PositiveIntegerField(help_text="Of the send that was approved.")
    most = models.PositiveIntegerField(help_text="Recipients of one occurrence.")
    given_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_because = models.CharField(max_length=300, blank=True)

    personal = PersonalData(service="recurring__service", texts="parts rules ended_because", team="label")

    class Meta:
        ordering = ("-id",)
        constraints = (
            UniqueConstraint(
                fields=("recurring", "by"),
                name="standing_approval_is_given_once_at_a_time",
                condition=Q(ended_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"standing approval by {self.label}"
