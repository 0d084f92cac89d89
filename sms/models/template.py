"""Message templates: our own text, or the id of a template kept at the provider, with every version there was."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import CASCADE, CheckConstraint, Q, UniqueConstraint
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sms.models.personal import PersonalData
from sms.webex.limits import LARGEST_TEXT_LIMIT

TEXT_OR_ID = (Q(text="") & ~Q(provider_template_id="")) | (~Q(text="") & Q(provider_template_id=""))


class MessageTemplate(models.Model):
    """A text with placeholders `$(name)`, or a provider template id whose placeholders are listed in `provider_placeholders`.

    Text and id are those of the published version without a language; `sms.catalogue.templates` writes them when one is published.
    """

    audit_noun = "template"

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="templates")
    name = models.CharField(
        max_length=60,
        validators=[RegexValidator(r"^[a-z0-9_]+$", _("Use lower-case letters, digits and underscores."))],
    )
    text = models.TextField(blank=True, max_length=LARGEST_TEXT_LIMIT)
    provider_template_id = models.CharField(max_length=64, blank=True)
    provider_placeholders = models.CharField(
        max_length=500, blank=True, help_text=_("Names the provider's template needs, separated by commas.")
    )
    active = models.BooleanField(default=True)
    changed_at = models.DateTimeField(auto_now=True)

    personal = PersonalData(
        service="service", catalogue="name text provider_template_id provider_placeholders"
    )

    class Meta:
        ordering = ("name",)
        constraints = (
            UniqueConstraint(fields=("service", "name"), name="template_name_is_unique_per_service"),
            CheckConstraint(name="template_has_a_text_or_a_provider_id_but_not_both", condition=TEXT_OR_ID),
        )

    def __str__(self) -> str:
        return self.name


class VersionState(models.TextChoices):
    """draft → published → retired, and never back."""

    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    RETIRED = "retired", _("Retired")


class TemplateVersion(models.Model):
    """One wording of a template in one language. Only a draft changes; sends keep pointing at the version they used."""

    template = models.ForeignKey(MessageTemplate, on_delete=CASCADE, related_name="versions")
    number = models.PositiveIntegerField(help_text="1 for the first of the template, in whichever language.")
    language = models.CharField(
        max_length=20,
        blank=True,
        validators=[
            RegexValidator(r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$", _("Write a language like de or pt-BR."))
        ],
        help_text=_("Like de or pt-BR. Empty: the one that is used where no language is chosen."),
    )
    state = models.CharField(max_length=10, choices=VersionState, default=VersionState.DRAFT)
    text = models.TextField(blank=True, max_length=LARGEST_TEXT_LIMIT)
    provider_template_id = models.CharField(max_length=64, blank=True)
    placeholders = models.JSONField(
        default=list, help_text="name, kind, example, fallback, max_length of each."
    )
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.CharField(max_length=254, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.CharField(max_length=254, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    personal = PersonalData(
        service="template__service",
        catalogue="text placeholders provider_template_id",
        team="made_by published_by",
        neutral="language",
    )

    class Meta:
        ordering = ("-number",)
        constraints = (
            UniqueConstraint(fields=("template", "number"), name="template_version_number_once"),
            UniqueConstraint(
                fields=("template", "language"),
                condition=Q(state="published"),
                name="template_has_one_published_version_per_language",
            ),
            UniqueConstraint(
                fields=("template", "language"),
                condition=Q(state="draft"),
                name="template_has_one_draft_per_language",
            ),
            CheckConstraint(
                name="template_version_has_a_text_or_a_provider_id_but_not_both", condition=TEXT_OR_ID
            ),
        )

    def __str__(self) -> str:
        return f"version {self.number}" + (f" ({self.language})" if self.language else "")

    @property
    def title(self) -> str:
        """As `str`, for pages; what is kept of a version says that in English."""
        if not self.language:
            return gettext("version %(number)s") % {"number": self.number}
        return gettext("version %(number)s (%(language)s)") % {
            "number": self.number,
            "language": self.language,
        }
