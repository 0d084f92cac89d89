"""API keys of partner systems, and how much of its rate each one used in this minute."""

import hashlib
import hmac
import ipaddress
import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import CASCADE, CheckConstraint, Q, UniqueConstraint
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sms.models.columns import set_together
from sms.models.guard import Guarded, Weaker, more, switched_on
from sms.models.personal import PersonalData
from sms.models.send_options import Resend
from sms.models.spend_cap import MOST as MOST_A_DAY
from sms.models.spend_cap import country_list, money_cap, opens_countries
from sms.models.sql.clock import corrected_now

M = TypeVar("M", bound=models.Model)
SCOPES = (
    ("send", _("Send messages, and cancel or pause sends")),
    ("read", _("Read sends, messages and reports")),
    ("texts", _("See texts and values, also in what is read, reported and called back")),
    ("numbers", _("See recipients' whole numbers")),
    ("optouts", _("Read and change opt-outs")),
    ("optouts_read", _("Read opt-outs")),
    ("catalogue", _("Read templates, senders, policy groups and domains")),
    ("callbacks", _("Read and change callbacks, and replay them")),
    ("all", _("See and touch what people and other keys made, too")),
)
IMPLIED = {"optouts_read": "optouts"}  # whoever has the second needs not the first
SHOWING = ("texts", "numbers", "all")
SCOPE_NAMES = frozenset(name for name, _may in SCOPES)
TEST, LIVE = "td_test_", "td_live_"  # how a token begins
AT_A_TIME = 2  # usable keys of one name: today's and the next one, so that a rotation has no gap
USE_NOTED_EVERY = timedelta(minutes=1)
_BY_PREFIX = "SELECT * FROM sms_apikey WHERE prefix = %s"


def digest_of(token: str) -> str:
    """What is stored of a key. Its secret has 256 bits, so there is nothing for a slow hash to slow down."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def valid_scopes(scopes: object) -> None:
    if not isinstance(scopes, list) or not scopes:
        raise ValidationError(gettext("A key needs at least one scope."))
    if unknown := [scope for scope in scopes if scope not in SCOPE_NAMES]:
        says = gettext("There is no scope “%(scope)s”. The scopes are: %(scopes)s.")
        raise ValidationError(
            says % {"scope": unknown[0], "scopes": ", ".join(name for name, _may in SCOPES)}
        )


def valid_networks(networks: object) -> None:
    for network in networks if isinstance(networks, list) else [networks]:
        try:
            ipaddress.ip_network(str(network))
        except ValueError:
            says = gettext("“%(network)s” is no address or network. Write it like 192.0.2.7 or 192.0.2.0/24.")
            raise ValidationError(says % {"network": network}) from None


class Purpose(models.TextChoices):
    """What the messages of a key are for (`sms.catalogue.key_policies`)."""

    MARKETING = "marketing", _("Marketing: campaigns and news")
    TRANSACTIONAL = "transactional", _("Transactional: codes, alarms, what a person waits for")


def _usable(weaker: Weaker) -> Weaker:
    """Weaker only where the key opens something already."""
    return lambda stored, before, after: bool(stored["confirmed"]) and weaker(stored, before, after)


def _higher_cap(of_service: str) -> Weaker:
    """Without a cap of its own a key has that of its service."""

    def higher(stored: Mapping[str, Any], before: Any, after: Any) -> bool:
        services: Any = apps.get_model("sms", "Service").objects
        usual = services.values_list(of_service, flat=True).get(pk=stored["service_id"])
        return more(stored, usual if before is None else before, usual if after is None else after)

    return higher


def counted_as(identity: uuid.UUID) -> int:
    """What spending is counted by: the same for all keys of a name, so that a second one is no second cap. Fits a bigint, and is not 0."""
    return (identity.int >> 65) or 1


class ApiKey(Guarded):
    """One key. `prefix` begins the key and may be shown; of the rest only a digest is kept.

    A key is usable until it is revoked or expires. Of a name at most AT_A_TIME are usable. Live keys of one name in a service have
    one `identity`, and so do its test keys: a later one goes on with what an earlier one made. Without the scope `all` a key sees and
    touches nothing else (`mine`). What a test key sends is simulated (`sms.simulator`), and with `all` it sees what test keys made. The
    columns of POLICIES say what its requests get where they do not say otherwise; a change holds from the next request on.
    """

    audit_noun = "api_key"
    CAPS = ("cap_minute", "cap_day", "cap_money", "countries")
    POLICIES = ("purpose", "resend", "needs_notify_url", "takes_jwt", *CAPS)
    WEAKER = {  # noqa: RUF012 - read only
        "confirmed": switched_on,
        "purpose": _usable(lambda _stored, before, after: before != after and after == Purpose.TRANSACTIONAL),
        "takes_jwt": _usable(switched_on),
        "cap_minute": _usable(more),
        "cap_day": _usable(_higher_cap("cap_key")),
        "cap_money": _usable(_higher_cap("cap_money_key")),
        "countries": _usable(opens_countries),
        "scopes": _usable(lambda _stored, before, after: not set(after) <= set(before)),
        "networks": _usable(
            lambda _stored, before, after: bool(before) and not (after and set(after) <= set(before))
        ),
        "revoked_at": lambda _stored, before, after: before is not None and after is None,
    }

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="api_keys")
    name = models.CharField(max_length=60, help_text=_("Who uses it, for example the shop's order system."))
    prefix = models.CharField(max_length=20, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    identity = models.UUIDField(
        default=uuid.uuid4,
        editable=False,
        help_text="The owner of what it makes; shared by all keys of its name.",
    )
    scopes = models.JSONField(default=list, validators=[valid_scopes])
    networks = models.JSONField(
        _("allowed networks"),
        default=list,
        blank=True,
        validators=[valid_networks],
        help_text=_("Addresses it may be used from; none means from everywhere."),
    )
    per_minute = models.PositiveIntegerField(
        _("requests a minute"), default=6000, validators=[MinValueValidator(1), MaxValueValidator(1_000_000)]
    )
    is_test = models.BooleanField(
        _("test key"), default=False, help_text=_("What it sends is simulated: nothing reaches a phone.")
    )
    purpose = models.CharField(
        max_length=13,
        choices=Purpose,
        default=Purpose.MARKETING,
        help_text=_(
            "Transactional messages go out in quiet hours, and up to 100 at once need no approval for size or hour."
        ),
    )
    resend = models.CharField(
        _("if we cannot tell whether a message was sent"),
        max_length=8,
        choices=Resend,
        default=Resend.EVIDENCE,
        help_text=_(
            "Where a request does not say. A message that expires within 15 minutes is sent again after ten seconds, unless you "
            "choose to wait; one that never expires only with evidence."
        ),
    )
    needs_notify_url = models.BooleanField(
        _("refuse a message whose notifyUrl cannot be called"),
        default=False,
        help_text=_("Off: the message goes, and the reply says that its notifyUrl gets no receipts."),
    )
    takes_jwt = models.BooleanField(
        _("stands for this service's JWT"),
        default=False,
        help_text=_(
            "Requests with a JWT of the service, to /v2/messages or the older send APIs, count as this key's. "
            "One key of a service can do that."
        ),
    )
    cap_minute = models.PositiveIntegerField(
        _("messages a minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_A_DAY)],
        help_text=_(
            "How many its requests may ask for in one minute, also in one request. Empty means no such cap."
        ),
    )
    cap_day = models.PositiveIntegerField(
        _("segments a day"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_A_DAY)],
        help_text=_(
            "What its requests may send in one day. Empty means as many as the service's spend caps allow one key."
        ),
    )
    cap_money = money_cap(
        _("money a day"),
        _(
            "A day. At the prices entered, in the currency of the spend caps. "
            "Empty means as much as the service's spend caps allow one key."
        ),
    )
    countries = country_list(
        _("countries that it may write to"),
        _(
            "Two letters each, like GB, FR 500: a number behind a country is how many segments it may send there in one day. "
            "Empty means those of the service, whose caps hold in any case."
        ),
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_by = models.CharField(max_length=254, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=254, blank=True, editable=False)
    makers = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        related_name="+",
        editable=False,
        help_text="Who made it or changed it: they are authors of what it sends.",
    )
    confirmed = models.BooleanField(
        default=False, editable=False, help_text="Opens something: no second person has to agree, or one has."
    )

    personal = PersonalData(
        service="service",
        catalogue="name",
        team="prefix digest scopes networks revoked_by created_by",
        neutral="identity countries",
    )

    class Meta:
        verbose_name = _("API key")
        ordering = ("name", "-id")
        constraints = (
            set_together("api_key_is_revoked_at_and_by_or_neither", "revoked_at", "revoked_by"),
            # a token names its row by this prefix, so a token that begins with td_test_ never opens a live key
            CheckConstraint(
                name="api_key_is_a_test_key_by_its_prefix",
                condition=Q(is_test=True, prefix__startswith=TEST)
                | Q(is_test=False, prefix__startswith=LIVE),
            ),
            UniqueConstraint(
                fields=("service",),
                condition=Q(takes_jwt=True, revoked_at__isnull=True),
                name="one_api_key_stands_for_the_jwt_of_a_service",
                violation_error_message=_(
                    "Another key stands for this service's JWT. Change that one first, or revoke it."
                ),
            ),
        )

    waits: Any = None  # the change of it that was just asked for and waits, if one does

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @classmethod
    def make(cls, **fields: object) -> tuple["ApiKey", str]:
        """A new key, not saved yet, and its token, which is shown this once."""
        prefix = f"{TEST if fields.get('is_test') else LIVE}{secrets.token_hex(4)}"
        token = f"{prefix}_{secrets.token_urlsafe(32)}"
        return cls(prefix=prefix, digest=digest_of(token), **fields), token

    @property
    def counted_as(self) -> int:
        return counted_as(self.identity)

    @classmethod
    def prefix_of(cls, token: str) -> str:
        """The part of a token that names its row; empty where it is no token of ours."""
        parts = token.split("_", 3)
        return "_".join(parts[:3]) if len(parts) == 4 and parts[0] == "td" and len(token) < 100 else ""

    @classmethod
    def found(cls, prefix: str) -> "ApiKey | None":
        """The key of that prefix as it is now: read at every request, so without the ORM's making of the statement."""
        return next(iter(cls.objects.raw(_BY_PREFIX, [prefix])), None) if prefix else None

    def opens_with(self, token: str) -> bool:
        return hmac.compare_digest(self.digest, digest_of(token))

    def why_not(self, now: datetime) -> str:
        """Why it cannot be used, as a sentence; empty where it can."""
        if self.revoked_at is not None:
            return gettext("This key was revoked. Ask for a new one.")
        if not self.confirmed:
            return gettext(
                "This key waits for a second admin, who confirms it under Set-up › Rules › Waiting changes."
            )
        if self.expires_at is not None and self.expires_at <= now:
            return gettext("This key has expired. Ask for a new one.")
        return ""

    @staticmethod
    def usable_at(now: datetime) -> Q:
        """`why_not` as a condition."""
        return Q(revoked_at=None, confirmed=True) & (Q(expires_at=None) | Q(expires_at__gt=now))

    @property
    def usable(self) -> bool:
        return not self.why_not(corrected_now())

    def allows(self, address: str) -> bool:
        if not self.networks:
            return True
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        return any(ip in ipaddress.ip_network(network) for network in self.networks)

    def mine(self, rows: "models.QuerySet[M]", owner: str = "owner") -> "models.QuerySet[M]":
        """Those of its service's rows that it may know of. `owner` leads from a row to the column of who made it."""
        if self.sees_all:
            return rows
        if self.is_test and "all" in self.scopes:
            return rows.filter(**{f"{owner}__in": self._test_identities()})
        return rows.filter(**{owner: self.identity})

    def knows_of(self, owner: uuid.UUID | None) -> bool:
        """`mine` for one thing."""
        if self.is_test and "all" in self.scopes:
            return self._test_identities().filter(identity=owner).exists()
        return self.sees_all or owner == self.identity

    def _test_identities(self) -> "models.QuerySet[Any]":
        """What test keys made is apart from all the rest of a service: a test key may lie in a repository."""
        keys = ApiKey.objects.filter(service_id=self.service_id, is_test=True)
        return keys.values_list("identity", flat=True)

    def may(self, scope: str) -> bool:
        return scope in self.scopes or IMPLIED.get(scope) in self.scopes

    @property
    def sees(self) -> str:
        """Those of its scopes on which it depends how an answer looks."""
        return " ".join(scope for scope in SHOWING if scope in self.scopes)

    @property
    def sees_all(self) -> bool:
        """Whether everything of its service; a test key never does."""
        return "all" in self.scopes and not self.is_test

    def note_use(self, now: datetime) -> None:
        """Remember that it was used, once a minute at most."""
        if self.last_used_at is None or now - self.last_used_at >= USE_NOTED_EVERY:
            stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - USE_NOTED_EVERY)
            type(self).objects.filter(stale, pk=self.pk).update(last_used_at=now)
            self.last_used_at = now


class ApiKeyUse(models.Model):
    """Requests that a key was granted in one minute, shared by every process. `minute` counts minutes since 1970."""

    key = models.OneToOneField(ApiKey, on_delete=CASCADE, primary_key=True, related_name="use")
    minute = models.BigIntegerField(default=0)
    granted = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"use of key {self.key_id}"

    @classmethod
    def take(cls, key_id: int, *, minute: int, wanted: int, limit: int) -> tuple[int, int, int]:
        """Grant up to `wanted` requests: how many, how many are left for others, and the minute they are for.

        A process whose clock is behind is served by the minute that is stored.
        """
        with transaction.atomic():
            row = cls.objects.select_for_update().filter(key_id=key_id).first()
            if row is None:
                ApiKeyUse.objects.bulk_create([ApiKeyUse(key_id=key_id)], ignore_conflicts=True)
                row = cls.objects.select_for_update().get(key_id=key_id)
            if row.minute < minute:
                row.minute, row.granted = minute, 0
            given = max(min(wanted, limit - row.granted), 0)
            if given:
                row.granted += given
                row.save()
            return given, max(limit - row.granted, 0), row.minute
