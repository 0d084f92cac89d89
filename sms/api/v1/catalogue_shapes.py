"""What partners get of the catalogue."""

from rest_framework import serializers

from sms.api.v1.sparse import SparseModel
from sms.models import ContactPolicyGroup, DomainState, MessageTemplate, Sender, SenderKind, ShortLinkDomain
from sms.values.text import placeholders


class TemplateShape(SparseModel):
    """A message template."""

    placeholders = serializers.SerializerMethodField()
    text = serializers.CharField(help_text="Empty where the template is kept at the provider.")

    class Meta:
        model = MessageTemplate
        fields = ("id", "name", "text", "provider_template_id", "placeholders", "active", "changed_at")

    def get_placeholders(self, template: MessageTemplate) -> list[str]:
        names = placeholders(template.text) if template.text else template.provider_placeholders.split(",")
        return [name.strip() for name in names if name.strip()]


class SenderShape(SparseModel):
    """A sender ID that messages can come from."""

    kind = serializers.ChoiceField(choices=SenderKind.values)

    class Meta:
        model = Sender
        fields = ("id", "address", "kind", "is_default", "active")


class PolicyGroupShape(SparseModel):
    """A contact-policy group of the provider."""

    class Meta:
        model = ContactPolicyGroup
        fields = (
            *("id", "name", "group_id", "check_consent", "apply_frequency_cap", "description", "active"),
        )


class DomainShape(SparseModel):
    """A host name that links are shortened on."""

    region = serializers.CharField(source="region.key")
    dns_kind = serializers.CharField(source="region.dns_kind", help_text="CNAME or A.")
    dns_target = serializers.CharField(source="region.dns_target")
    state = serializers.ChoiceField(
        choices=DomainState.choices,
        help_text="Of the last check. Sends are refused on broken and not_set_up.",
    )

    class Meta:
        model = ShortLinkDomain
        fields = (
            *("id", "host", "region", "dns_kind", "dns_target", "state", "says", "checked_at", "active"),
        )
