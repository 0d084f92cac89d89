"""What a service can send with: templates, senders, policy groups and short-link domains. Admins change them on the pages."""

from rest_framework import serializers

from sms.api.v1.access import SHARED
from sms.api.v1.filters import ActiveFilter, SenderFilter
from sms.api.v1.resource import Collection, described
from sms.api.v1.sparse import SparseModel
from sms.models import ContactPolicyGroup, DomainState, MessageTemplate, Sender, SenderKind, ShortLinkDomain
from sms.values.text import placeholders


class TemplateShape(SparseModel):
    """A message template."""

    placeholders = serializers.SerializerMethodField()
    text = serializers.CharField(
        allow_null=True, help_text="Null where the template is kept at the provider."
    )

    class Meta:
        model = MessageTemplate
        fields = ("id", "name", "text", "provider_template_id", "placeholders", "active", "changed_at")

    def get_placeholders(self, template: MessageTemplate) -> list[str]:
        names = placeholders(template.text) if template.text else template.provider_placeholders.split(",")
        return [name.strip() for name in names if name.strip()]


class SenderShape(SparseModel):
    """A sender ID that messages can come from."""

    kind = serializers.ChoiceField(choices=SenderKind.values)
    detail = serializers.CharField(
        source="caution",
        allow_null=True,
        help_text="Why some networks may not take it; null for nothing known.",
    )

    class Meta:
        model = Sender
        fields = ("id", "address", "kind", "detail", "is_default", "active")


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
    detail = serializers.CharField(
        source="says", allow_null=True, help_text="What the last check found, with the way out."
    )

    class Meta:
        model = ShortLinkDomain
        fields = (
            *("id", "host", "region", "dns_kind", "dns_target", "state", "detail", "checked_at", "active"),
        )


class Catalogue(Collection):
    """One kind of things of the key's service, active or not."""

    filterset_class = ActiveFilter
    scope = "catalogue"
    owner = SHARED


@described("templates", "templates", "template", read="With its ETag, to notice a change.")
class Templates(Catalogue):
    serializer_class = TemplateShape
    queryset = MessageTemplate.objects.all()


@described("senders", "senders", "sender", read="One sender.")
class Senders(Catalogue):
    serializer_class = SenderShape
    filterset_class = SenderFilter
    queryset = Sender.objects.all()


@described("policy_groups", "policy groups", "policy group", read="One policy group.")
class PolicyGroups(Catalogue):
    serializer_class = PolicyGroupShape
    queryset = ContactPolicyGroup.objects.all()


@described("domains", "short-link domains", "short-link domain", read="With the DNS record that it needs.")
class Domains(Catalogue):
    serializer_class = DomainShape
    queryset = ShortLinkDomain.objects.select_related("region")
