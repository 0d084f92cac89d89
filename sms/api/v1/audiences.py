"""Saved audiences: uploaded through `sms.saved`, used by sends as `audience`. A further upload is a further version."""

from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from sms import saved
from sms.api.v1 import access
from sms.api.v1.bodies import AudienceBody, AudienceRows
from sms.api.v1.filters import AudienceFilter
from sms.api.v1.problems import Fault, Problem
from sms.api.v1.resource import Resource
from sms.api.v1.shapes import AudienceShape, RejectShape
from sms.audience import AudienceError, Limits
from sms.models import Reject, SavedAudience

FORMS = {"application/json": AudienceBody, "multipart/form-data": AudienceBody}
ROWS = {"application/json": AudienceRows, "multipart/form-data": AudienceRows}


class Audiences(Resource):
    """The lists that the key's service has saved."""

    serializer_class = AudienceShape
    filterset_class = AudienceFilter
    parser_classes = (JSONParser, MultiPartParser)
    queryset = SavedAudience.objects.select_related("current").defer("current__rejects")
    scopes: ClassVar[dict[str, str]] = {
        "list": "read",
        "retrieve": "read",
        "create": "send",
        "replace": "send",
        "destroy": "send",
    }

    def rows(self) -> Any:
        """Of this service only."""
        return self.get_queryset().filter(service=self.service)

    @extend_schema(operation_id="audiences_list", summary="List saved audiences, newest first")
    def list(self, request: Request) -> Response:
        """Archived ones too, unless `archived=false`."""
        return self.page(self.rows())

    @extend_schema(operation_id="audiences_read", summary="Read one saved audience")
    def retrieve(self, request: Request, pk: int) -> Response:
        """Its figures are those of the version that sends use now."""
        return self.shown(self.find(self.rows(), pk))

    @extend_schema(
        operation_id="audiences_create",
        summary="Upload an audience",
        request=FORMS,
        responses={201: AudienceShape},
    )
    def create(self, request: Request) -> HttpResponse:
        """Read to its end before anything is stored. Rows that no SMS could reach are left out, and listed."""
        body = self.read(AudienceBody)

        def act() -> Response:
            packed = self._packed(body)
            try:
                made = saved.create(
                    self.service, packed, name=body["name"], note=body.get("note", ""), by=self.by, user=None
                )
            except saved.SavedError as problem:
                raise _refused(problem.field, problem) from None
            response = self.shown(self.find(self.rows(), made.pk), status=201)
            response.headers["Location"] = f"/api/v1/audiences/{made.pk}"
            return response

        return access.once(request, act)

    @extend_schema(
        operation_id="audiences_replace",
        summary="Upload its rows anew",
        request=ROWS,
        responses={201: AudienceShape},
    )
    def replace(self, request: Request, pk: int) -> HttpResponse:
        """A further version, which sends made from now on use. What was sent keeps the one it used."""
        body = self.read(AudienceRows)

        def act() -> Response:
            found = self.find(self.rows(), pk)
            self.expect(found)
            packed = self._packed(body)
            try:
                saved.replace(found, packed, by=self.by, user=None)
            except saved.SavedError as problem:
                raise Problem(409, "conflict", str(problem)) from None
            return self.shown(self.find(self.rows(), pk), status=201)

        return access.once(request, act)

    @extend_schema(
        operation_id="audiences_archive",
        summary="Archive an audience",
        responses={204: OpenApiResponse(description="Sends cannot use it any more; its history stays.")},
    )
    def destroy(self, request: Request, pk: int) -> Response:
        """Archiving twice is archiving once."""
        found = self.find(self.rows(), pk)
        self.expect(found)
        saved.archive(found, by=self.by)
        return Response(status=204)

    def _packed(self, body: dict[str, Any]) -> saved.Packed:
        limits = Limits(bytes=settings.UPLOAD_MAX_BYTES, rows=settings.UPLOAD_MAX_ROWS)
        country, column = body.get("country") or self.service.default_country, body.get("column")
        field = "file" if body.get("file") else "csv"
        try:
            if field == "file":
                file = body["file"]
                return saved.pack_file(file, name=file.name, country=country, column=column, limits=limits)
            return saved.pack_pasted(body["csv"], country=country, column=column, limits=limits)
        except AudienceError as problem:
            wrong = "column" if problem.code in {"unknown_column", "no_column"} else field
            raise _refused(wrong, problem) from None
        except saved.SavedError as problem:
            raise _refused(field, problem) from None


def _refused(field: str, problem: Exception) -> Problem:
    return Problem(422, "refused", str(problem), faults=[Fault(field, str(problem))])


class AudienceRejects(Resource):
    """Rows of an upload that no SMS could reach."""

    serializer_class = RejectShape
    scopes: ClassVar[dict[str, str]] = {"list": "read"}
    queryset = Reject.objects.none()

    @extend_schema(operation_id="audiences_rejects", summary="List the rows that the last upload left out")
    def list(self, request: Request, pk: int) -> Response:
        """In the order of the file; the first ten thousand of an upload are kept."""
        found = self.find(SavedAudience.objects.filter(service=self.service), pk)
        rejects = saved.rejects_of(found.current) if found.current else []
        pages: Any = self.paginator
        shown = self.get_serializer(pages.of_list(rejects, request), many=True)
        return self.get_paginated_response(shown.data)
