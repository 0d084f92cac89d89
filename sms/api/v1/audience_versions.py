"""The uploads of an audience, and the rows that one left out."""

from typing import ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from sms.api.v1 import access
from sms.api.v1.audience_shapes import AudienceShape, RowsBody, VersionShape
from sms.api.v1.audiences import or_conflict, packed_rows
from sms.api.v1.problems import invalid
from sms.api.v1.reading import Json
from sms.api.v1.resource import Resource
from sms.api.v1.send_shapes import RejectShape
from sms.audiences import contents, saved
from sms.models import AudienceVersion, SavedAudience


class OfAudience(Resource):
    filter_backends = ()
    scopes: ClassVar[dict[str, str]] = {"list": "read", "create": "send"}

    def audience(self, pk: int) -> SavedAudience:
        found: SavedAudience = self.find(
            SavedAudience.objects.filter(service=self.service).select_related("current"), pk
        )
        return found


class AudienceVersions(OfAudience):
    serializer_class = VersionShape
    queryset = AudienceVersion.objects.defer("rejects")
    parser_classes = (Json, MultiPartParser)

    @extend_schema(operation_id="audiences_versions", summary="List the uploads of an audience")
    def list(self, request: Request, pk: int) -> Response:
        """The latest first."""
        return self.page(self.get_queryset().filter(audience=self.audience(pk)))

    @extend_schema(
        operation_id="audiences_replace",
        summary="Upload a new version of an audience",
        request={"application/json": RowsBody, "multipart/form-data": RowsBody},
        responses={201: AudienceShape},
    )
    def create(self, request: Request, pk: int) -> HttpResponse:
        """Sends made from now on use it; earlier ones keep theirs."""
        body = self.read(RowsBody)
        self.audience(pk)
        packed = packed_rows(body, service=self.service)

        def act() -> Response:
            or_conflict(lambda: saved.replace(self.audience(pk), packed, by=self.by))
            shown = AudienceShape(self.audience(pk), context=self.get_serializer_context())
            return Response(shown.data, status=201)

        return access.once(request, act)


class AudienceRejects(OfAudience):
    serializer_class = RejectShape
    queryset = AudienceVersion.objects.all()

    def parameters(self) -> set[str]:
        return super().parameters() | {"version"}

    @extend_schema(
        operation_id="audiences_rejects",
        summary="List the rows that an upload left out",
        parameters=[OpenApiParameter("version", int, description="The latest if left out.")],
    )
    def list(self, request: Request, pk: int) -> Response:
        """In the order of the file, the first ten thousand."""
        found = self.audience(pk)
        wanted = request.query_params.get("version", "")
        if wanted and not (wanted.isascii() and wanted.isdecimal() and len(wanted) < 10):
            raise invalid("version", "A version is a number, 1 for the first upload.")
        versions = found.versions.filter(number=int(wanted)) if wanted else found.versions.order_by("-number")
        version = versions.first()
        if version is None:
            raise invalid("version", "There is no such version.")
        return self.listed(contents.rejects_of(version))
