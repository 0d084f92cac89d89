"""Send options: what a send asks for beyond its text and its numbers. `Draft` and `Send` have these columns.

A field declared here is an option of every way in: compose page, `/api/v1`, `/v2/messages`, admin and `manage.py send` loop over
`SendOptions.fields()`, and one that has the name of a field of `sms.webex.send_request` is posted under its name there.
"""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from sms.models.columns import VerbatimField
from sms.models.number_choice import LeaveOutField
from sms.models.receipt_choice import ALL_RECEIPTS, NONE, USUAL_RECEIPTS, ReceiptsField
from sms.models.receipt_settings import AUTH_ID
from sms.values.msisdn.kinds import DOUBTFUL, USUALLY_LEFT_OUT
from sms.webex import limits


class Lane(models.IntegerChoices):
    """Which send goes first where there is not room for all."""

    URGENT = 0, _("Urgent: one-off codes and alarms")
    NORMAL = 1, _("Normal")
    BULK = 2, _("Bulk: large sends that can wait")


class Resend(models.TextChoices):
    """What becomes of a message of which we do not know whether it was sent (`sms.dispatch.settle`)."""

    NEVER = "never", _("Wait for the receipt or a person")
    EVIDENCE = "evidence", _("Send again only when others' receipts show that it was not sent")
    ALWAYS = "always", _("Send again after ten seconds, once: it may arrive twice")


def kept_by_sends(collector: Any, field: Any, rows: Any, using: str) -> None:
    """A send keeps what it was made with; a draft does without what is deleted."""
    (models.PROTECT if field.model.keeps_history else models.SET_NULL)(collector, field, rows, using)


_TAG = RegexValidator(
    rf"\A{limits.TAG.pattern}\Z",
    _("“%(value)s” is no tag. Write up to 50 letters, digits, _ and -."),
)
ONE_END = _("Webex Connect takes an expiry or a validity, not both. Choose one of the two.")
_TRIMMED = RegexValidator(r"\A\S(?:.*\S)?\Z", _("It begins or ends with a space. Leave that out."))
_LONG_VALIDITY = _("A validity is from one second to 72 hours. Write a shorter one.")
_SMARTLINK_VALIDITY = _(
    "A smartlink is valid from one minute to a year. Write between 1 and 525,600 minutes."
)


class SendOptions(models.Model):
    """None of a check means: as the policy group has it. `validity` counts from the hand-over to the provider.

    A partner's `/v2/messages` counts it from its request or `sendAt`, as the provider does, so its sends have that moment as
    `expires_at` beside it: nothing is posted that the provider would have let expire. Posted is the validity.
    """

    keeps_history = False

    policy_group = models.ForeignKey(
        "sms.ContactPolicyGroup",
        verbose_name=_("contact-policy group"),
        null=True,
        blank=True,
        on_delete=kept_by_sends,
        related_name="%(class)ss",
        help_text=_("Webex Connect then checks consent or frequency before it sends."),
    )
    check_consent = models.BooleanField(
        null=True, blank=True, help_text=_("At each message; as the policy group says if left out.")
    )
    apply_frequency_cap = models.BooleanField(
        _("apply the frequency cap"),
        null=True,
        blank=True,
        help_text=_("As the policy group says if left out."),
    )
    link_domain = models.ForeignKey(
        "sms.ShortLinkDomain",
        verbose_name=_("short-link domain"),
        null=True,
        blank=True,
        on_delete=kept_by_sends,
        related_name="%(class)ss",
        help_text=_("Shortens https links and counts clicks. Some operators filter short links."),
    )
    shorten_links = models.BooleanField(default=True, help_text=_("On the short-link domain."))
    track_clicks = models.BooleanField(default=True, help_text=_("Of the links that are shortened."))
    allow_fallback_url = models.BooleanField(
        _("send the long link if shortening fails"),
        null=True,
        blank=True,
        help_text=_("Without it the message fails where Webex Connect cannot shorten its links."),
    )
    tag1 = models.CharField(
        _("first tag"),
        max_length=limits.LONGEST_TAG,
        blank=True,
        validators=[_TAG],
        help_text=_("Counted in Webex Connect's own reports on links. Letters, digits, _ and -."),
    )
    tag2 = models.CharField(_("second tag"), max_length=limits.LONGEST_TAG, blank=True, validators=[_TAG])
    smartlink_validity = models.PositiveIntegerField(
        _("smartlinks are valid for, in minutes"),
        null=True,
        blank=True,
        validators=[
            MinValueValidator(1, _SMARTLINK_VALIDITY),
            MaxValueValidator(limits.LONGEST_SMARTLINK, _SMARTLINK_VALIDITY),
        ],
        help_text=_("Minutes. As the catalogue says if left out."),
    )
    receipts = ReceiptsField(
        _("receipts to ask for"),
        default=USUAL_RECEIPTS,
        validators=[MinValueValidator(1, NONE), MaxValueValidator(int(ALL_RECEIPTS), NONE)],
        help_text=_("All but SENT if left out. CLICKED comes only where clicks are counted."),
    )
    callback_data = VerbatimField(
        max_length=limits.LONGEST_CALLBACK_DATA,
        blank=True,
        help_text=_(
            "Comes back unchanged in every receipt; up to 2,000 characters, the same for all recipients."
        ),
    )
    notify_url = models.CharField(
        _("pass receipts on to"),
        max_length=limits.LONGEST_URL,
        blank=True,
        help_text=_("An https address that gets a copy of each receipt, as Webex Connect writes it."),
    )
    notify_url_auth_id = models.CharField(
        _("authorization for receipts"),
        max_length=limits.LONGEST_AUTH_ID,
        blank=True,
        validators=[AUTH_ID],
        help_text=_(
            "The id of an authorization in Webex Connect, with which it signs in when it posts receipts to Textdesk."
        ),
    )
    batch_id = models.CharField(
        max_length=limits.LONGEST_BATCH_ID,
        validators=[_TRIMMED],
        blank=True,
        help_text=_("Your name for a batch, as Webex Connect keeps it."),
    )
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text=_("After this nothing more is posted.")
    )
    validity = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[
            MinValueValidator(1, _LONG_VALIDITY),
            MaxValueValidator(limits.LONGEST_VALIDITY, _LONG_VALIDITY),
        ],
        help_text=_("Seconds from the hand-over after which an operator gives up, instead of an expiry."),
    )
    language = models.CharField(
        _("language of the template"),
        max_length=20,
        blank=True,
        help_text=_("Its wording without a language if left out."),
    )
    lane = models.PositiveSmallIntegerField(
        choices=Lane,
        default=Lane.NORMAL,
        help_text=_("Where there is not room for all, urgent goes first and bulk last."),
    )
    resend = models.CharField(
        _("if we cannot tell whether it was sent"),
        max_length=8,
        choices=Resend,
        default=Resend.NEVER,
        help_text=_(
            "The connection can break while a message is being sent. Then we cannot tell whether the message was sent."
        ),
    )
    ramp = models.BooleanField(
        _("start small"),
        default=False,
        help_text=_(
            "1 % first, then 10 %, then the rest, each only once the last went well. From 100 recipients on."
        ),
    )
    respect_quiet_hours = models.BooleanField(default=True)
    leave_out = LeaveOutField(
        _("numbers to leave out"),
        default=USUALLY_LEFT_OUT,
        validators=[MaxValueValidator(int(DOUBTFUL))],
        help_text=_(
            "Kinds of numbers that may be no mobile of the person. Only those abroad without a + if left out."
        ),
    )

    TEXTS = "tag1 tag2 callback_data notify_url batch_id"
    NEUTRAL = "language notify_url_auth_id"

    class Meta:
        abstract = True
        constraints = (
            models.CheckConstraint(
                name="%(class)s_asks_for_receipts",
                condition=Q(receipts__range=(1, int(ALL_RECEIPTS))),
                violation_error_message=NONE,
            ),
            models.CheckConstraint(
                name="%(class)s_is_valid_for_72_hours_at_most",
                condition=Q(validity__isnull=True) | Q(validity__range=(1, limits.LONGEST_VALIDITY)),
                violation_error_message=_LONG_VALIDITY,
            ),
            models.CheckConstraint(
                name="%(class)s_has_smartlinks_for_a_year_at_most",
                condition=Q(smartlink_validity__isnull=True)
                | Q(smartlink_validity__range=(1, limits.LONGEST_SMARTLINK)),
                violation_error_message=_SMARTLINK_VALIDITY,
            ),
        )

    @staticmethod
    def fields() -> "tuple[models.Field[Any, Any], ...]":
        """Every option there is."""
        return SendOptions._meta.local_fields  # type: ignore[return-value]

    def options(self) -> dict[str, Any]:
        """All of them by name, to make another thing that asks for the same."""
        return {field.name: getattr(self, field.name) for field in SendOptions.fields()}

    @property
    def shortens(self) -> bool:
        return self.link_domain_id is not None and self.shorten_links

    @property
    def link_host(self) -> str:
        """On which links are shortened; empty where they stay as they are."""
        return str(self.link_domain) if self.shortens else ""

    @property
    def counts_clicks(self) -> bool:
        return self.shortens and self.track_clicks

    @property
    def checks_consent(self) -> bool | None:
        """None without a policy group."""
        return self._checked("check_consent")

    @property
    def applies_frequency_cap(self) -> bool | None:
        return self._checked("apply_frequency_cap")

    def _checked(self, name: str) -> bool | None:
        if self.policy_group is None:
            return None
        own: bool | None = getattr(self, name)
        return bool(getattr(self.policy_group, name)) if own is None else own
