"""What a service can send with: templates, senders, policy groups and short-link domains. Admins change them on the pages."""

from sms.api.v1.catalogue_shapes import DomainShape, PolicyGroupShape, SenderShape, TemplateShape
from sms.api.v1.filters import ActiveFilter, SenderFilter
from sms.api.v1.resource import Collection, described
from sms.models import ContactPolicyGroup, MessageTemplate, Sender, ShortLinkDomain


class Catalogue(Collection):
    """One kind of things of the key's service, active or not."""

    filterset_class = ActiveFilter
    scope = "catalogue"


@described(
    "templates",
    "templates",
    "template",
    listed="The newest first.",
    read="With its ETag, to notice a change.",
)
class Templates(Catalogue):
    serializer_class = TemplateShape
    queryset = MessageTemplate.objects.all()


@described("senders", "senders", "sender", listed="The newest first.", read="One sender.")
class Senders(Catalogue):
    serializer_class = SenderShape
    filterset_class = SenderFilter
    queryset = Sender.objects.all()


@described(
    "policy_groups", "policy groups", "policy group", listed="The newest first.", read="One policy group."
)
class PolicyGroups(Catalogue):
    serializer_class = PolicyGroupShape
    queryset = ContactPolicyGroup.objects.all()


@described(
    "domains",
    "short-link domains",
    "short-link domain",
    listed="The newest first.",
    read="With the DNS record that it needs.",
)
class Domains(Catalogue):
    serializer_class = DomainShape
    queryset = ShortLinkDomain.objects.select_related("region")
