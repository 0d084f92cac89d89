"""Audiences: uploaded, replaced, archived and deleted through `sms.audiences.saved`. Their rows are never listed: the pages export them."""

import io
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from sms.api.v1 import access
from sms.api.v1.audience_shapes import AudienceBody, AudienceChange, AudienceShape
from sms.api.v1.bodies import NoBody
from sms.api.v1.filters import AudienceFilter
from sms.api.v1.problems import ApiProblem, Fault
from sms.api.v1.reading import Json
from sms.api.v1.resource import Collection, described, once
from sms.audiences import errors, packing, saved
from sms.audiences.files import AudienceError, Limits
from sms.models import SavedAudience, Service

T = TypeVar("T")


@described(
    "audiences",
    "saved audiences",
    "saved audience",
    listed="The newest first, archived ones too unless `archived=false`.",
    read="With its latest upload.",
)
class Audiences(Collection):
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
        packed = packed_rows(body, service=self.service)

        def act() -> Response:
            made = or_conflict(
                lambda: saved.create(self.service, packed, name=body["name"], note=body["note"], by=self.by)
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
        or_conflict(lambda: saved.rename(found, **now | body, by=self.by))
        return self._answer(pk)

    @extend_schema(
        operation_id="audiences_remove", summary="Delete an audience for good", responses={204: None}
    )
    def destroy(self, request: Request, pk: int) -> Response:
        """With its history. One that a send used is archived instead: 409."""
        found = self._found(pk)
        or_conflict(lambda: saved.delete(found, by=self.by))
        return Response(status=204)

    @once("audiences_archive", "Archive an audience", NoBody, AudienceShape)
    def archive(self, body: dict[str, Any], pk: int) -> Response:
        """No send takes it any more; everything about it stays. Archiving twice is archiving once."""
        found = self._found(pk)
        or_conflict(lambda: saved.archive(found, by=self.by))
        return self._answer(pk)

    @once("audiences_bring_back", "Bring an archived audience back", NoBody, AudienceShape)
    def bring_back(self, body: dict[str, Any], pk: int) -> Response:
        """409 where another audience has its name by now."""
        found = self._found(pk)
        or_conflict(lambda: saved.bring_back(found, by=self.by))
        return self._answer(pk)

    def _found(self, pk: int) -> SavedAudience:
        found: SavedAudience = self.find(self.rows(), pk)
        self.expect(found)
        return found

    def _answer(self, pk: int, *, status: int = 200) -> Response:
        response = self.shown(self.find(self.rows(), pk), status=status)
        if status == 201:
            response.headers["Location"] = f"/api/v1/audiences/{pk}"
        return response


def packed_rows(body: dict[str, Any], *, service: Service) -> packing.Packed:
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


def or_conflict(act: Callable[[], T]) -> T:
    """What `saved` would not do is a 409: the name is taken, a send used it, it is archived."""
    try:
        return act()
    except errors.SavedError as problem:
        raise ApiProblem(409, "conflict", str(problem), faults=[Fault(problem.field, str(problem))]) from None
