"""Message templates: our own text, or the id of a template kept at the provider."""

from django.core.validators import RegexValidator
from django.db import models


class MessageTemplate(models.Model):
    """A text with placeholders `$(name)`, or a provider template id whose placeholders are listed in `provider_placeholders`."""

    service = models.ForeignKey("sms.Service", on_delete=models.CASCADE, related_name="templates")
    name = models.CharField(
        max_length=60,
        validators=[RegexValidator(r"^[a-z0-9_]+$", "Use lower-case letters, digits and underscores.")],
    )
    text = models.TextField(blank=True, max_length=4000)
    provider_template_id = models.CharField(max_length=64, blank=True)
    provider_placeholders = models.CharField(
        max_length=500, blank=True, help_text="Names the provider's template needs, separated by commas."
    )
    active = models.BooleanField(default=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(fields=("service", "name"), name="template_name_is_unique_per_service"),
            models.CheckConstraint(
                name="template_has_a_text_or_a_provider_id_but_not_both",
                condition=(models.Q(text="") & ~models.Q(provider_template_id=""))
                | (~models.Q(text="") & models.Q(provider_template_id="")),
            ),
        )

    def __str__(self) -> str:
        return self.name
