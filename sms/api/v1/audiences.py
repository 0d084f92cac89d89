"""Audiences: uploaded, replaced, archived and deleted through `sms.audiences.saved`. Their rows are never listed: the pages export them."""

import io
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from sms.api.v1 import access
from sms.api.v1.audience_shapes import AudienceBody, AudienceChange, AudienceShape, RowsBody, VersionShape
from sms.api.v1.bodies import NoBody
from sms.api.v1.filters import AudienceFilter
from sms.api.v1.problems import ApiProblem, Fault, invalid
from sms.api.v1.reading import Json
from sms.api.v1.resource import Collection, Resource, described
from sms.api.v1.send_shapes import RejectShape
from sms.audiences import contents, errors, packing, saved
from sms.audiences.files import AudienceError, Limits
from sms.models import AudienceVersion, SavedAudience, Service

T = TypeVar("T")


@described(
    "audiences",
    "saved audiences",
    "saved audience",
    listed="The newest first, archived ones too unless `archived=false`.",
    read="With its latest upload.",
)
class Audiences(Collection):
    """The saved audiences of the key's service."""

    serializer_class = AudienceShape
    filterset_class = AudienceFilter
    parser_classes = (Json, MultiPartParser)
    queryset = SavedAudience.objects.select_related("current").defer("current__rejects")
    scope = "send"
    scopes: ClassVar[dict[str, str]] = {"list": "read", "retrieve": "read"}

    @extend_schema(
        operation_id="audiences_create",
        summary="Upload an audience",
        request={"application/json": AudienceBody, "multipart/form-data": AudienceBody},
        responses={201: AudienceShape},
    )
    def create(self, request: Request) -> HttpResponse:
        """What cannot be read as a number is a reject of it; nothing is dropped."""
        body = self.read(AudienceBody)
        packed = _packed(body, service=self.service)

        def act() -> Response:
            made = _done(
                lambda: saved.create(
                    self.service, packed, name=body["name"], note=body["note"], by=self.by, user=None
                )
            )
            return self._answer(made.pk, status=201)

        return access.once(request, act)

    @extend_schema(
        operation_id="audiences_change",
        summary="Rename an audience",
        request=AudienceChange,
        responses=AudienceShape,
    )
    def partial_update(self, request: Request, pk: int) -> Response:
        """Its name and its note; new rows are a new version."""
        body = self.read(AudienceChange)
        found = self._found(pk)
        now = {"name": found.name, "note": found.note}
        _done(lambda: saved.rename(found, **now | body, by=self.by))
        return self._answer(pk)

    @extend_schema(
        operation_id="audiences_remove", summary="Delete an audience for good", responses={204: None}
    )
    def destroy(self, request: Request, pk: int) -> Response:
        """With its history. One that a send used is archived instead: 409."""
        found = self._found(pk)
        _done(lambda: saved.delete(found, by=self.by))
        return Response(status=204)

    @extend_schema(
        operation_id="audiences_archive",
        summary="Archive an audience",
        request=NoBody,
        responses=AudienceShape,
    )
    def archive(self, request: Request, pk: int) -> HttpResponse:
        """No send takes it any more; everything about it stays. Archiving twice is archiving once."""
        return self._switched(request, pk, saved.archive)

    @extend_schema(
        operation_id="audiences_bring_back",
        summary="Bring an archived audience back",
        request=NoBody,
        responses=AudienceShape,
    )
    def bring_back(self, request: Request, pk: int) -> HttpResponse:
        """409 where another audience has its name by now."""
        return self._switched(request, pk, saved.bring_back)

    def _switched(self, request: Request, pk: int, verb: Callable[..., bool]) -> HttpResponse:
        self.read(NoBody)

        def act() -> Response:
            found = self._found(pk)
            _done(lambda: verb(found, by=self.by))
            return self._answer(pk)

        return access.once(request, act)

    def _found(self, pk: int) -> SavedAudience:
        found: SavedAudience = self.find(self.rows(), pk)
        self.expect(found)
        return found

    def _answer(self, pk: int, *, status: int = 200) -> Response:
        response = self.shown(self.find(self.rows(), pk), status=status)
        if status == 201:
            response.headers["Location"] = f"/api/v1/audiences/{pk}"
        return response


def _packed(body: dict[str, Any], *, service: Service) -> packing.Packed:
    """The rows, read to their end before a transaction begins."""
    field = "file" if body.get("file") else "csv"
    limits = Limits(bytes=settings.UPLOAD_MAX_BYTES, rows=settings.UPLOAD_MAX_ROWS)
    country = body.get("country") or service.default_country
    try:
        if field == "csv":
            return packing.pack_pasted(body["csv"], country=country, limits=limits)
        file = body["file"]
        content = io.BytesIO(file.read())  # since what reads it may close it, and `access.once` reads it too
        file.seek(0)
        return packing.pack_file(
            content, name=file.name, country=country, column=body.get("column"), limits=limits
        )
    except AudienceError as problem:
        wrong = "column" if problem.code in {"unknown_column", "no_column"} else field
        raise ApiProblem(422, "refused", str(problem), faults=[Fault(wrong, str(problem))]) from None
    except errors.SavedError as problem:
        raise ApiProblem(422, "refused", str(problem), faults=[Fault(field, str(problem))]) from None


def _done(act: Callable[[], T]) -> T:
    """What `saved` would not do is a 409: the name is taken, a send used it, it is archived."""
    try:
        return act()
    except errors.SavedError as problem:
        raise ApiProblem(409, "conflict", str(problem), faults=[Fault(problem.field, str(problem))]) from None


class OfAudience(Resource):
    """What belongs to one audience."""

    filter_backends = ()
    scopes: ClassVar[dict[str, str]] = {"list": "read", "create": "send"}

    def audience(self, pk: int) -> SavedAudience:
        found: SavedAudience = self.find(
            SavedAudience.objects.filter(service=self.service).select_related("current"), pk
        )
        return found


class AudienceVersions(OfAudience):
    """The uploads of an audience."""

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
        packed = _packed(body, service=self.service)

        def act() -> Response:
            _done(lambda: saved.replace(self.audience(pk), packed, by=self.by, user=None))
            shown = AudienceShape(self.audience(pk), context=self.get_serializer_context())
            return Response(shown.data, status=201)

        return access.once(request, act)


class AudienceRejects(OfAudience):
    """The rejects of one upload."""

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
