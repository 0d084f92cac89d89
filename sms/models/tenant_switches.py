"""Switches of a tenant: how its Webex Connect behaves where the documents are silent or disagree. `Service` has these columns.

Each default is what does no harm if it is wrong. The tenant probe (`sms.catalogue.tenant_probe`) proves them one by one and keeps the
evidence; a person can set all but `inline_values` by hand. The sandbox has the provider's side of each
(`tests/wire/test_switches_on_both_sides.py`).
"""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import CheckConstraint, Q
from django.utils.translation import gettext_lazy as _

from sms.models.sql.clock import corrected_now
from sms.webex.limits import LARGEST_TEXT_LIMIT, LONGEST_TAG, TAG, TEXT_LIMIT
from sms.webex.rules import length


class LengthUnit(models.TextChoices):
    """What the text limit counts. They differ for emoji, which are two UTF-16 units each."""

    UTF16 = "utf16", _("UTF-16 units: an emoji counts as two")
    CHARACTERS = "characters", _("Characters: an emoji counts as one")


class InlineValues(models.TextChoices):
    """Whether the provider puts values into a text that stands in the request, and for which placeholders."""

    TEMPLATES = "templates", _("Only in its own templates")
    PARENTHESES = "parentheses", _("In any text, for $(name)")
    BRACES = "braces", _("In any text, for ${name}")

    def placeholder(self, name: str) -> str:
        return f"${{{name}}}" if self == InlineValues.BRACES else f"$({name})"


class LinkFields(models.TextChoices):
    """Which of the six link options are sent. The provider's table calls all of them mandatory, its samples leave some out."""

    ALL = "all", _("All six, always")
    GIVEN = "given", _("Only those that a send asks for")


class SmartlinkUnit(models.TextChoices):
    MINUTES = "minutes", _("Minutes")
    SECONDS = "seconds", _("Seconds")


_TAG = RegexValidator(
    rf"\A{TAG.pattern}\Z", _("“%(value)s” is no tag. Write up to 50 letters, digits, _ and -.")
)


class TenantSwitches(models.Model):
    """`text_limit` is counted in `length_unit` after substitution: 1024 in the provider's older documents, 4000 in newer ones."""

    e164_plus = models.BooleanField(
        _("numbers with +"), default=False, help_text=_("On if “+E.164” is enabled for your tenant.")
    )
    text_limit = models.PositiveIntegerField(
        default=TEXT_LIMIT,
        validators=[MinValueValidator(1), MaxValueValidator(LARGEST_TEXT_LIMIT)],
        help_text=_("Characters; newer tenants have 4000."),
    )
    length_unit = models.CharField(
        _("the text limit counts"), max_length=10, choices=LengthUnit, default=LengthUnit.UTF16
    )
    inline_values = models.CharField(
        _("Webex Connect fills in values"),
        max_length=11,
        choices=InlineValues,
        default=InlineValues.TEMPLATES,
        editable=False,
        help_text=_("Set by the tenant probe alone: a wrong setting would show placeholders on phones."),
    )
    inline_values_origin = models.CharField(
        max_length=255, blank=True, editable=False, help_text="The address at which that was proved."
    )
    link_fields = models.CharField(
        _("link options in a request"), max_length=5, choices=LinkFields, default=LinkFields.ALL
    )
    link_tag1 = models.CharField(
        _("first tag, where a send has none"),
        max_length=LONGEST_TAG,
        default="textdesk",
        validators=[_TAG],
        help_text=_("Sent with all six link options."),
    )
    link_tag2 = models.CharField(
        _("second tag, where a send has none"), max_length=LONGEST_TAG, default="sms", validators=[_TAG]
    )
    smartlink_unit = models.CharField(
        _("smartlinks live for so many"), max_length=7, choices=SmartlinkUnit, default=SmartlinkUnit.MINUTES
    )
    validity_kept = models.BooleanField(
        _("operators keep to the validity"),
        default=False,
        help_text=_("Off: a phone that was switched off may get a message after its validity."),
    )
    answers_since = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="What the tenant probe found before counts no more: the credentials were changed.",
    )

    PROOFS = ("answers_since", "inline_values")
    NEUTRAL = "length_unit inline_values link_fields link_tag1 link_tag2 smartlink_unit"

    class Meta:
        abstract = True
        constraints = (
            CheckConstraint(
                name="%(class)s_text_limit_is_between_1_and_4000",
                condition=Q(text_limit__gte=1, text_limit__lte=LARGEST_TEXT_LIMIT),
            ),
        )

    def forget_proofs(self) -> None:
        """The credentials are others now, and may be another tenant's. The caller saves PROOFS."""
        self.answers_since, self.inline_values = corrected_now(), InlineValues.TEMPLATES

    def length_of(self, written: str) -> int:
        """As the text limit counts it."""
        return length(written, utf16=self.length_unit == LengthUnit.UTF16)

    def smartlink_time(self, minutes: int) -> int:
        """A validity of ours as the provider wants it. A partner's is passed on as it is."""
        return minutes * 60 if self.smartlink_unit == SmartlinkUnit.SECONDS else minutes
