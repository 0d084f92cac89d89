"""A Webex Connect service that a team shares, and its pace."""

import hmac
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import CASCADE, PROTECT, CheckConstraint, F, Q
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sms.models.columns import set_together
from sms.models.fact import FactZone
from sms.models.fields import SecretField
from sms.models.guard import Guarded, any_change, fewer, more
from sms.models.personal import PersonalData
from sms.models.receipt_settings import ReceiptSettings, new_token
from sms.models.spend_cap import RAISED, SpendCaps
from sms.models.sql.clock import corrected_now
from sms.models.tenant_switches import InlineValues, TenantSwitches
from sms.values import time_zones
from sms.values.quiet_hours import QuietHours
from sms.webex.origin import must_match, origin_of
from sms.words import number

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SANDBOX_SCHEME = "http://"
SHORTEST_KEPT, LONGEST_KEPT = 7, 3650  # days
LONGEST_UNCONFIRMED = 72  # hours: receipts come for up to three days
# for which a replaced address or secret still counts: receipts come for up to three days, and a person changes the webhook in the meantime
HAND_OVER = timedelta(days=7)


def valid_zone(name: str) -> None:
    """Refuse what is no IANA time zone."""
    if not time_zones.here(name):
        raise ValidationError(
            gettext("%(name)s is not a time zone. Write it like Europe/London."), params={"name": name}
        )


def _days(
    name: "StrOrPromise", says: "StrOrPromise"
) -> "models.PositiveSmallIntegerField[int | None, int | None]":
    """Days after which something is deleted. A week at least, since receipts come that long after a message."""
    return models.PositiveSmallIntegerField(
        name,
        null=True,
        blank=True,
        validators=[MinValueValidator(SHORTEST_KEPT), MaxValueValidator(LONGEST_KEPT)],
        help_text=says,
    )


def _percent(
    name: "StrOrPromise", default: int, says: "StrOrPromise"
) -> "models.PositiveSmallIntegerField[int | None, int | None]":
    """From how much of something on a send is held by itself."""
    return models.PositiveSmallIntegerField(
        name,
        null=True,
        blank=True,
        default=default,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=says,
    )


class AuthKind(models.TextChoices):
    KEY = "key", _("Service key")
    JWT = "jwt", "JWT"


class Service(TenantSwitches, ReceiptSettings, SpendCaps, Guarded):
    """One Webex Connect service: connection, contract and receipt addresses. Every page, sender and send belongs to one.

    `rate` is destinations per second as contracted (empty: no limit).
    """

    audit_noun = "service"

    CONNECTION = ("region_id", "base_url", "auth_kind", "api_key", "jwt_service_id", "jwt_secret")
    WEAKER = {  # noqa: RUF012 - read only
        **dict.fromkeys(CONNECTION, any_change),
        "time_zone": any_change,  # ordinary hours are hours of this clock
        "default_country": any_change,  # no list and no cap of countries holds there
        **dict.fromkeys(("keep_bodies", "keep_numbers", "keep_receipts", "keep_messages"), fewer),
        **dict.fromkeys(("hold_failures", "hold_silence", "hold_opt_outs"), more),
        **RAISED,
    }

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    region = models.ForeignKey("sms.Region", on_delete=PROTECT, related_name="services")
    base_url = models.CharField(
        _("base URL"),
        max_length=200,
        blank=True,
        help_text=_("Only if it differs from the region's, for example a sandbox."),
    )
    auth_kind = models.CharField(_("sign-in with"), max_length=3, choices=AuthKind, default=AuthKind.KEY)
    api_key = SecretField(_("service key"), blank=True)
    jwt_service_id = models.CharField(_("service ID"), max_length=100, blank=True)
    jwt_secret = SecretField(_("service secret"), blank=True)
    secrets_origin = models.CharField(
        max_length=255,
        blank=True,
        editable=False,
        help_text="Where key and secret were typed for; they go nowhere else.",
    )
    rate = models.PositiveIntegerField(
        _("contracted rate"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100_000)],
        help_text=_("Destinations per second in your contract. Empty means no limit."),
    )
    batch_size = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text=_(
            "Messages with the same text in one request, personal ones only where the tenant probe proved it. "
            "1 gives each message its own answer; more is faster."
        ),
    )
    burst = models.BooleanField(
        _("use the burst budget"),
        default=False,
        help_text=_(
            "Up to 1.5 times the contracted rate (100 more at most) for 30 minutes a day and 8 hours a month."
        ),
    )
    quiet_hours = models.CharField(
        max_length=20,
        blank=True,
        help_text=_(
            "Local time of the recipient in which nothing is sent, like 21:00-08:00. Empty means none."
        ),
    )
    hold_failures = _percent(
        _("hold at failures"),
        60,
        _("Percent of failed messages at which a send is held automatically. Empty means never."),
    )
    hold_silence = _percent(
        _("hold at missing receipts"),
        90,
        _("Percent of messages without any receipt after ten minutes at which a send is held automatically."),
    )
    hold_opt_outs = _percent(
        _("hold at opt-outs"),
        5,
        _("Percent of recipients who opted out at which a send is held automatically."),
    )
    unconfirmed_hours = models.PositiveSmallIntegerField(
        _("unconfirmed messages of programs end after"),
        default=4,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_UNCONFIRMED)],
        help_text=_(
            "Hours, 1 to 72. If nothing shows by then that a program's message was sent, the program is told that it failed."
        ),
    )
    default_country = models.CharField(
        max_length=2, default="GB", help_text=_("Numbers without a country code are read as this one.")
    )
    time_zone = models.CharField(max_length=60, default="Europe/London", validators=[valid_zone])
    correlation_key = SecretField(default=new_token, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    check_verdict = models.CharField(
        max_length=20,
        blank=True,
        editable=False,
        help_text="What the last connection test found; see sms.catalogue.connection.",
    )
    keep_bodies = _days(
        _("keep texts for"), _("Days, 7 to 3,650: the texts of messages. Empty means for good.")
    )
    keep_numbers = _days(
        _("keep numbers for"), _("Days, 7 to 3,650: whom messages went to. Empty means for good.")
    )
    keep_receipts = _days(
        _("keep receipts for"),
        _("Days, 7 to 3,650: receipts as they came; they hold numbers too. Empty means for good."),
    )
    keep_messages = _days(
        _("keep messages here for"),
        _("Days, 7 to 3,650: messages; then they go into archive files. Empty means for good."),
    )
    opt_outs_hidden = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Whether opt-outs of erased people are kept as digests, so that both forms of a number are looked up.",
    )
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_because = models.CharField(max_length=200, blank=True)
    live_since = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When it was connected to Webex Connect itself. What was sent before went to a sandbox.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    personal = PersonalData(
        service="pk",
        texts="paused_because",
        catalogue="name",
        team=(
            "slug base_url secrets_origin jwt_service_id quiet_hours time_zone check_verdict api_key "
            "jwt_secret receipt_token receipt_token_before webhook_token webhook_token_before receipt_secret "
            "receipt_secret_before notify_url_auth_id correlation_key "
            "inline_values_origin countries"
        ),
        neutral=f"{TenantSwitches.NEUTRAL} cap_currency",
    )

    class Meta:
        ordering = ("name",)
        constraints = (
            set_together("service_is_paused_with_a_reason_or_not_at_all", "paused_at", "paused_because"),
            CheckConstraint(
                name="service_rate_is_positive_or_unlimited", condition=Q(rate__isnull=True) | Q(rate__gte=1)
            ),
            CheckConstraint(
                name="service_batch_is_between_1_and_1000_and_no_more_than_a_second",
                condition=Q(batch_size__gte=1, batch_size__lte=1000)
                & (Q(rate__isnull=True) | Q(batch_size__lte=F("rate"))),
            ),
            *TenantSwitches.Meta.constraints,
            *SpendCaps.Meta.constraints,
            CheckConstraint(
                name="service_ends_unconfirmed_messages_within_72_hours",
                condition=Q(unconfirmed_hours__range=(1, LONGEST_UNCONFIRMED)),
            ),
            CheckConstraint(
                name="service_keeps_receipts_no_longer_than_numbers",
                condition=Q(keep_numbers__isnull=True)
                | Q(keep_receipts__isnull=False, keep_receipts__lte=F("keep_numbers")),
            ),
        )

    @property
    def is_restored_copy(self) -> bool:
        """Whether an operator has to run `manage.py after_restore` before anybody may resume it."""
        return self.restored_copies.filter(settled_at=None).exists()

    @property
    def clock(self) -> str:
        """Its time zone for screens and forecasts: UTC where this machine does not know the name."""
        return time_zones.or_utc(self.time_zone)

    @property
    def facts_clock(self) -> str:
        """The zone whose days its reports count: its own, or the one it had before until its facts are counted again."""
        counted: FactZone | None = getattr(self, "counted_in", None)
        return time_zones.or_utc(counted.zone if counted else self.time_zone)

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
            wrong["batch_size"] = gettext(
                "A request with %(size)s messages is more than the contracted %(rate)s a second. Choose %(rate)s or less."
            ) % {"size": number(self.batch_size), "rate": number(self.rate)}
        try:
            self.quiet_hours = str(QuietHours.parse(self.quiet_hours)) if self.quiet_hours.strip() else ""
        except ValueError as problem:
            wrong["quiet_hours"] = str(problem)
        if self.keep_numbers and (self.keep_receipts or LONGEST_KEPT + 1) > self.keep_numbers:
            says = gettext(
                "Receipts hold numbers too, so keep them no longer than numbers: %(days)s days or less."
            )
            wrong["keep_receipts"] = says % {"days": number(self.keep_numbers)}
        if not self.cap_currency and (self.cap_money or self.cap_money_key or self._keys_have_money_caps()):
            wrong["cap_currency"] = gettext(
                "A cap in money needs its currency. Write three letters, like EUR."
            )
        self.default_country = self.default_country.upper()
        if self.default_country not in phonenumbers.SUPPORTED_REGIONS:
            says = gettext("“%(word)s” is not a country. Write its two letters, like GB.")
            wrong["default_country"] = says % {"word": self.default_country}
        if wrong:
            raise ValidationError(wrong)

    def _keys_have_money_caps(self) -> bool:
        return self.pk is not None and self.api_keys.filter(cap_money__isnull=False, revoked_at=None).exists()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """The secrets of a new service are for the address that it is made with."""
        if self._state.adding and not self.secrets_origin:
            self.keep_secrets_for_address()
        super().save(*args, **kwargs)

    def keep_secrets_for_address(self) -> None:
        """Key and secret were just typed for the address that the service has now; from now on it is live, or speaks to a sandbox."""
        self.secrets_origin = origin_of(self.provider_url)
        self.live_since = None if self.is_sandbox else self.live_since or corrected_now()

    def settle(self, names: list[str]) -> list[str]:
        """Another connection: its secrets stay with the address they were typed for, and what was found out there says nothing any more."""
        if not set(names) & set(self.CONNECTION):
            return []
        must_match(self.secrets_origin, self.provider_url)
        self.keep_secrets_for_address()
        self.checked_at, self.check_verdict = None, ""
        self.forget_proofs()
        return ["secrets_origin", "live_since", "checked_at", "check_verdict", *self.PROOFS]

    @property
    def guards(self) -> int | None:
        return self.pk

    @property
    def connected(self) -> bool:
        if self.auth_kind == AuthKind.KEY:
            return bool(self.api_key)
        return bool(self.jwt_service_id and self.jwt_secret)

    @property
    def is_sandbox(self) -> bool:
        """Whether what is sent ends in a sandbox: nothing else is reached on plain http, which Webex Connect does not speak."""
        return self.base_url.startswith(SANDBOX_SCHEME)

    @property
    def file_mark(self) -> str:
        """What names of files end in, so that nobody takes what a sandbox said for what happened to people."""
        return "-sandbox" if self.is_sandbox else ""

    @property
    def name_in_mails(self) -> str:
        if not self.is_sandbox:
            return self.name
        return gettext("%(service)s (sandbox: nothing reached a real phone)") % {"service": self.name}

    @classmethod
    def sandboxes(cls, prefix: str = "") -> Q:
        """`is_sandbox` as a condition; `prefix` leads to the service, as `service__`."""
        return Q(**{f"{prefix}base_url__startswith": SANDBOX_SCHEME})

    @property
    def provider_url(self) -> str:
        """Base address of the provider's API, without a trailing slash."""
        return (self.base_url or f"https://{self.region.host}").rstrip("/")

    @property
    def fills_inline(self) -> InlineValues | None:
        """How the provider fills in personal texts, None where that is not proved for the address that is called now."""
        inline = InlineValues(self.inline_values)
        if inline == InlineValues.TEMPLATES or self.inline_values_origin != origin_of(self.provider_url):
            return None
        return inline

    @property
    def number_key(self) -> bytes:
        """What numbers that must not be kept are hashed with (`sms.values.msisdn.hidden`). As lasting as the key of correlation ids."""
        return hmac.digest(self.correlation_key.encode(), b"numbers", "sha256")

    @cached_property
    def sender_digits(self) -> frozenset[str]:
        """Its own numbers, which are no person's and stay readable."""
        addresses: Any = self.senders.exclude(kind="alphanumeric").values_list("address", flat=True)
        return frozenset(addresses)


class Pace(models.Model):
    """How far ahead a service's contracted rate is used up: one row per service, moved by every dispatcher.

    Times are in seconds of the database's epoch. A reservation of n destinations moves `used_until` by n / rate. `factor` is the
    share of the rate that the provider lets us use, learned from its throttling: it fell at `slowed_at` and grows back by itself.
    Burst use is counted in seconds, by day and by month (UTC).
    """

    service = models.OneToOneField(Service, on_delete=CASCADE, primary_key=True, related_name="pace")
    used_until = models.FloatField(default=0)
    held_until = models.FloatField(default=0)
    factor = models.FloatField(default=1)
    slowed_at = models.FloatField(default=0)
    burst_day = models.DateField(null=True, blank=True)
    burst_day_seconds = models.FloatField(default=0)
    burst_month_seconds = models.FloatField(default=0)

    def __str__(self) -> str:
        return f"pace of {self.service_id}"
