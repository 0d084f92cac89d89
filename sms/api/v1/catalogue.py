"""What a service can send with: templates, senders, policy groups and short-link domains. Admins change them on the pages."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from sms.api.v1.filters import ActiveFilter, SenderFilter
from sms.api.v1.resource import Resource
from sms.api.v1.shapes import DomainShape, PolicyGroupShape, SenderShape, TemplateShape
from sms.models import ContactPolicyGroup, MessageTemplate, Sender, ShortLinkDomain
from sms.values import text


class Catalogue(Resource):
    """One kind of things of the key's service, active or not."""

    filterset_class = ActiveFilter
    scopes: ClassVar[dict[str, str]] = {"list": "catalogue", "retrieve": "catalogue"}

    def rows(self) -> Any:
        return self.get_queryset().filter(service=self.service)


class Templates(Catalogue):
    """Message templates."""

    serializer_class = TemplateShape
    queryset = MessageTemplate.objects.all()

    @extend_schema(operation_id="templates_list", summary="List templates")
    def list(self, request: Request) -> Response:
        """The newest first."""
        return self.page(self.rows(), lambda found: [_with_placeholders(one) for one in found])

    @extend_schema(operation_id="templates_read", summary="Read one template")
    def retrieve(self, request: Request, pk: int) -> Response:
        """With its ETag, to notice a change."""
        return self.shown(_with_placeholders(self.find(self.rows(), pk)))


def _with_placeholders(template: MessageTemplate) -> MessageTemplate:
    """What has to be filled, whoever holds the text."""
    names = text.placeholders(template.text) if template.text else template.provider_placeholders.split(",")
    template.placeholders = [name.strip() for name in names if name.strip()]  # type: ignore[attr-defined]
    return template


class Senders(Catalogue):
    """Sender IDs."""

    serializer_class = SenderShape
    filterset_class = SenderFilter
    queryset = Sender.objects.all()

    @extend_schema(operation_id="senders_list", summary="List senders")
    def list(self, request: Request) -> Response:
        """The newest first."""
        return self.page(self.rows())

    @extend_schema(operation_id="senders_read", summary="Read one sender")
    def retrieve(self, request: Request, pk: int) -> Response:
        """One sender."""
        return self.shown(self.find(self.rows(), pk))


class PolicyGroups(Catalogue):
    """Contact-policy groups."""

    serializer_class = PolicyGroupShape
    queryset = ContactPolicyGroup.objects.all()

    @extend_schema(operation_id="policy_groups_list", summary="List policy groups")
    def list(self, request: Request) -> Response:
        """The newest first."""
        return self.page(self.rows())

    @extend_schema(operation_id="policy_groups_read", summary="Read one policy group")
    def retrieve(self, request: Request, pk: int) -> Response:
        """One policy group."""
        return self.shown(self.find(self.rows(), pk))


class Domains(Catalogue):
    """Short-link domains."""

    serializer_class = DomainShape
    queryset = ShortLinkDomain.objects.select_related("region")

    @extend_schema(operation_id="domains_list", summary="List short-link domains")
    def list(self, request: Request) -> Response:
        """The newest first."""
        return self.page(self.rows())

    @extend_schema(operation_id="domains_read", summary="Read one short-link domain")
    def retrieve(self, request: Request, pk: int) -> Response:
        """With the DNS record that it needs."""
        return self.shown(self.find(self.rows(), pk))
