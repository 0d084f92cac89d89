"""A Webex Connect service that a team shares, and its pace."""

import hmac
import secrets
import zoneinfo
from typing import Any

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from sms.models.fields import SecretField
from sms.models.personal import PersonalData
from sms.values.quiet_hours import QuietHours
from sms.webex.origin import origin_of

SHORTEST_KEPT, LONGEST_KEPT = 7, 3650  # days


def new_token() -> str:
    """An unguessable path part, 256 bits."""
    return secrets.token_urlsafe(32)


def valid_zone(name: str) -> None:
    """Refuse what is no IANA time zone."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            "%(name)s is not a time zone. Write it like Europe/London.", params={"name": name}
        )


def _days(name: str, what: str) -> "models.PositiveSmallIntegerField[int | None, int | None]":
    """Days after which something is deleted. A week at least, since receipts come that long after a message."""
    return models.PositiveSmallIntegerField(
        name,
        null=True,
        blank=True,
        validators=[MinValueValidator(SHORTEST_KEPT), MaxValueValidator(LONGEST_KEPT)],
        help_text=f"Days, {SHORTEST_KEPT} to {LONGEST_KEPT:,}: {what}. Empty means for good.",
    )


class AuthKind(models.TextChoices):
    """How we sign in to the provider."""

    KEY = "key", "Service key"
    JWT = "jwt", "JWT"


class Service(models.Model):
    """One Webex Connect service: connection, contract and receipt endpoint. Every page, sender and send belongs to one.

    `rate` is destinations per second as contracted (empty: no limit). `text_limit` is characters after substitution: 1024 in the
    provider's documented contract, 4000 on newer tenants.
    """

    audit_noun = "service"

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    region = models.ForeignKey("sms.Region", on_delete=models.PROTECT, related_name="services")
    base_url = models.CharField(
        "base URL",
        max_length=200,
        blank=True,
        help_text="Only if it differs from the region's, for example a sandbox.",
    )
    auth_kind = models.CharField("sign-in with", max_length=3, choices=AuthKind, default=AuthKind.KEY)
    api_key = SecretField("service key", blank=True)
    jwt_service_id = models.CharField("service ID", max_length=100, blank=True)
    jwt_secret = SecretField("service secret", blank=True)
    secrets_origin = models.CharField(
        max_length=255,
        blank=True,
        editable=False,
        help_text="Where key and secret were typed for; they go nowhere else.",
    )
    rate = models.PositiveIntegerField(
        "contracted rate",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100_000)],
        help_text="Destinations per second in your contract. Empty means no limit.",
    )
    batch_size = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text="Messages in one request. 1 gives each message its own answer; more is faster where the contract is.",
    )
    burst = models.BooleanField(
        "use the burst budget",
        default=False,
        help_text="Up to 1.5 times the contracted rate (100 more at most) for 30 minutes a day and 8 hours a month.",
    )
    quiet_hours = models.CharField(
        max_length=20,
        blank=True,
        help_text="Local time of the recipient in which nothing is sent, like 21:00-08:00. Empty means none.",
    )
    hold_failures = models.PositiveSmallIntegerField(
        "hold at failures",
        null=True,
        blank=True,
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Percent of failed messages at which a send is held by itself. Empty means never.",
    )
    hold_silence = models.PositiveSmallIntegerField(
        "hold at missing receipts",
        null=True,
        blank=True,
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Percent of messages without any receipt after ten minutes at which a send is held by itself.",
    )
    hold_opt_outs = models.PositiveSmallIntegerField(
        "hold at opt-outs",
        null=True,
        blank=True,
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Percent of recipients who opted out at which a send is held by itself.",
    )
    e164_plus = models.BooleanField(
        "numbers with +", default=False, help_text="On if “+E.164” is enabled for your tenant."
    )
    text_limit = models.PositiveIntegerField(
        default=1024,
        validators=[MinValueValidator(1), MaxValueValidator(4000)],
        help_text="Characters; newer tenants have 4000.",
    )
    default_country = models.CharField(
        max_length=2, default="GB", help_text="Numbers without a country code are read as this one."
    )
    time_zone = models.CharField(max_length=60, default="Europe/London", validators=[valid_zone])
    receipt_token = models.CharField(max_length=64, unique=True, default=new_token, editable=False)
    receipt_token_before = models.CharField(max_length=64, unique=True, null=True, editable=False)
    receipt_token_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Until then the previous address is answered too."
    )
    receipt_secret = SecretField(
        "signature secret", blank=True, help_text="The secret of the outbound webhook, if it has one."
    )
    receipt_secret_before = SecretField("previous signature secret", blank=True)
    receipt_algorithm = models.CharField(
        max_length=6, default="sha256", choices=(("sha256", "SHA-256"), ("sha512", "SHA-512"))
    )
    correlation_key = SecretField(default=new_token, editable=False)
    receipt_asked_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When the provider last looked whether the address is there.",
    )
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    check_verdict = models.CharField(
        max_length=20,
        blank=True,
        editable=False,
        help_text="What the last connection test found; see sms.catalogue.connection.",
    )
    keep_bodies = _days("keep texts for", "the texts of messages")
    keep_numbers = _days("keep numbers for", "whom messages went to")
    keep_receipts = _days("keep receipts for", "receipts as they came; they hold numbers too")
    keep_messages = _days("keep messages here for", "messages; then they go into archive files")
    opt_outs_hidden = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Whether opt-outs of erased people are kept as digests, so that both forms of a number are looked up.",
    )
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_because = models.CharField(max_length=200, blank=True)
    is_sandbox = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    personal = PersonalData(
        service="pk",
        texts=("paused_because",),
        catalogue=("name",),
        team=(
            "slug",
            "base_url",
            "secrets_origin",
            "jwt_service_id",
            "quiet_hours",
            "time_zone",
            "check_verdict",
            "api_key",
            "jwt_secret",
            "receipt_token",
            "receipt_token_before",
            "receipt_secret",
            "receipt_secret_before",
            "correlation_key",
        ),
    )

    class Meta:
        ordering = ("name",)
        constraints = (
            models.CheckConstraint(
                name="service_is_paused_with_a_reason_or_not_at_all",
                condition=models.Q(paused_at__isnull=True, paused_because="")
                | (models.Q(paused_at__isnull=False) & ~models.Q(paused_because="")),
            ),
            models.CheckConstraint(
                name="service_rate_is_positive_or_unlimited",
                condition=models.Q(rate__isnull=True) | models.Q(rate__gte=1),
            ),
            models.CheckConstraint(
                name="service_batch_is_between_1_and_1000_and_no_more_than_a_second",
                condition=models.Q(batch_size__gte=1, batch_size__lte=1000)
                & (models.Q(rate__isnull=True) | models.Q(batch_size__lte=models.F("rate"))),
            ),
            models.CheckConstraint(
                name="service_text_limit_is_between_1_and_4000",
                condition=models.Q(text_limit__gte=1, text_limit__lte=4000),
            ),
            models.CheckConstraint(
                name="service_keeps_receipts_no_longer_than_numbers",
                condition=models.Q(keep_numbers__isnull=True)
                | models.Q(keep_receipts__isnull=False, keep_receipts__lte=models.F("keep_numbers")),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @classmethod
    def secrets(cls, prefix: str = "") -> list[str]:
        """Names of the encrypted fields, for `defer`: who needs none of them must not fail because one cannot be read."""
        names = [field.name for field in cls._meta.get_fields() if isinstance(field, SecretField)]
        return [f"{prefix}__{name}" if prefix else name for name in names]

    def clean(self) -> None:
        """What no single field can check: a batch fits into a second, and quiet hours are read and written the one way."""
        wrong: dict[str, str] = {}
        if self.rate and self.batch_size and self.batch_size > self.rate:
            wrong["batch_size"] = (
                f"A request with {self.batch_size:,} messages is more than the contracted {self.rate:,} a second. "
                f"Choose {self.rate:,} or less."
            )
        try:
            self.quiet_hours = str(QuietHours.parse(self.quiet_hours)) if self.quiet_hours.strip() else ""
        except ValueError as problem:
            wrong["quiet_hours"] = str(problem)
        if self.keep_numbers and (self.keep_receipts or LONGEST_KEPT + 1) > self.keep_numbers:
            wrong["keep_receipts"] = (
                f"Receipts hold numbers too, so keep them no longer than numbers: {self.keep_numbers:,} days or less."
            )
        self.default_country = self.default_country.upper()
        if self.default_country not in phonenumbers.SUPPORTED_REGIONS:
            wrong["default_country"] = (
                f"“{self.default_country}” is not a country. Write its two letters, like GB."
            )
        if wrong:
            raise ValidationError(wrong)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """The secrets of a new service are for the address that it is made with."""
        if self._state.adding and not self.secrets_origin:
            self.keep_secrets_for_address()
        super().save(*args, **kwargs)

    def keep_secrets_for_address(self) -> None:
        """Key and secret were just typed for the address that the service has now."""
        self.secrets_origin = origin_of(self.provider_url)

    @property
    def connected(self) -> bool:
        return (
            bool(self.api_key)
            if self.auth_kind == AuthKind.KEY
            else bool(self.jwt_service_id and self.jwt_secret)
        )

    @property
    def reaches_sandbox(self) -> bool:
        """Whether what is sent ends in a sandbox. One is made by the demo on plain http, which no real provider takes."""
        return self.is_sandbox and self.base_url.startswith("http://")

    @property
    def provider_url(self) -> str:
        """Base address of the provider's API, without a trailing slash."""
        return (self.base_url or f"https://{self.region.host}").rstrip("/")

    @property
    def number_key(self) -> bytes:
        """What numbers that must not be kept are hashed with (`sms.values.msisdn.hidden`). As lasting as the key of correlation ids."""
        return hmac.digest(self.correlation_key.encode(), b"numbers", "sha256")

    @property
    def receipt_secrets(self) -> list[str]:
        """Secrets that a receipt may be signed with now: the newest first, the previous one during rotation."""
        return [secret for secret in (self.receipt_secret, self.receipt_secret_before) if secret]


class Pace(models.Model):
    """How far ahead a service's contracted rate is used up: one row per service, moved by every dispatcher.

    Times are in seconds of the database's epoch. A reservation of n destinations moves `used_until` by n / rate. `factor` is the
    share of the rate that the provider lets us use, learned from its throttling: it fell at `slowed_at` and grows back by itself.
    Burst use is counted in seconds, by day and by month (UTC).
    """

    service = models.OneToOneField(Service, on_delete=models.CASCADE, primary_key=True, related_name="pace")
    used_until = models.FloatField(default=0)
    held_until = models.FloatField(default=0)
    factor = models.FloatField(default=1)
    slowed_at = models.FloatField(default=0)
    burst_day = models.DateField(null=True, blank=True)
    burst_day_seconds = models.FloatField(default=0)
    burst_month_seconds = models.FloatField(default=0)

    def __str__(self) -> str:
        return f"pace of {self.service_id}"
