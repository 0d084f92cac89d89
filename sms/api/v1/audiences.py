"""Audiences: uploaded, replaced, archived and deleted through `sms.audiences.saved`. Their rows are never listed: the pages export them."""

import io
from typing import Any, ClassVar

import msgspec
from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sms.api.v1 import access
from sms.api.v1.bodies import Change, Moment, NoBody, Strict
from sms.api.v1.filters import AudienceFilter
from sms.api.v1.problems import invalid, refused
from sms.api.v1.reading_fields import CountryField, UploadedFileField, WithHeadingRow, WithReading
from sms.api.v1.resource import Collection, Resource, described, once
from sms.api.v1.send_shapes import RejectShape
from sms.api.v1.sparse import Remark, Sparse
from sms.audiences import errors, packing, saved, storage
from sms.audiences.files import AudienceError, Limits, ReadingChoices
from sms.audiences.files.findings import FileFindings, OtherSheet
from sms.models import AudienceVersion, SavedAudience, Service


class WithCountry(Strict):
    country = CountryField(
        required=False, help_text="Numbers without a country code are read as this country's; ZZ for none."
    )


class RowsBody(WithHeadingRow, WithCountry):
    """Recipients to keep. A file comes as multipart/form-data."""

    elsewhere: ClassVar[dict[str, str]] = {
        "file": "A file comes as multipart/form-data.",
        "column": "Only a file has a column to choose.",
    }

    csv = serializers.CharField(
        max_length=5_000_000, trim_whitespace=False, help_text="A table or a list of numbers."
    )


class RowsUpload(WithReading, WithCountry):
    """A file of recipients to keep."""

    elsewhere: ClassVar[dict[str, str]] = {"csv": "A table as a text comes as JSON; a form has a file."}

    file = UploadedFileField(help_text="CSV or a workbook (XLSX, ODS, XLS).")
    column = serializers.CharField(
        required=False,
        max_length=200,
        help_text="Heading of the column with the numbers, if it is not found.",
    )


class Named(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=100, help_text="Unique among those in use.")
    note = serializers.CharField(max_length=200, default="", allow_blank=True)


class AudienceBody(Named, RowsBody):
    """A new audience with its first rows."""


class AudienceUpload(Named, RowsUpload):
    """A new audience with the rows of a file."""


class AudienceChange(Change):
    """Another name or note."""

    name = serializers.CharField(max_length=100, required=False)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True)


def _findings_schema() -> dict[str, Any]:
    """As `FileFindings.as_json` gives it: what says nothing is left out."""
    _, shapes = msgspec.json.schema_components((FileFindings,), ref_template="{name}")
    shape = shapes[FileFindings.__name__]
    shape["properties"]["other_sheets"]["items"] = shapes[OtherSheet.__name__]
    for field in shape["properties"].values():
        field.pop("default", None)
    return shape


@extend_schema_field(_findings_schema())
class FindingsField(serializers.DictField):
    """What the file turned out to hold."""


class VersionShape(Sparse):
    """One upload. Its figures stay for good; its rows may be erased."""

    identity = "version"
    version = serializers.IntegerField(source="number", help_text="1 for the first upload.")
    source = serializers.CharField(help_text="File name, or how the rows came.")  # type: ignore[assignment]
    country = serializers.CharField(allow_null=True)
    headings = serializers.ListField(child=serializers.CharField(allow_blank=True))
    column = serializers.CharField(allow_null=True, help_text="The column of the numbers.")
    recipient_count = serializers.IntegerField(source="recipients")
    rejected = serializers.IntegerField()
    findings = FindingsField()
    uploaded_at = Moment(source="made_at")
    erased_at = Moment(allow_null=True)


class AudienceShape(Sparse):
    """A named list of recipients with its latest upload, which sends use."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    note = Remark(allow_null=True)
    current = VersionShape(allow_null=True)
    created_at = Moment()
    archived_at = Moment(allow_null=True)


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
    forms = ("create",)
    queryset = SavedAudience.objects.select_related("current").defer("current__rejects")
    scope = "send"
    scopes: ClassVar[dict[str, str]] = {"list": "read", "retrieve": "read"}

    @extend_schema(
        operation_id="audiences_create",
        summary="Upload an audience",
        request={"application/json": AudienceBody, "multipart/form-data": AudienceUpload},
        responses={201: AudienceShape},
    )
    def create(self, request: Request) -> HttpResponse:
        """What cannot be read as a number is a reject of it; nothing is dropped."""
        body = self.read(AudienceBody, AudienceUpload)
        packed = packed_rows(body, service=self.service)

        def act() -> Response:
            made = saved.create(self.service, packed, name=body["name"], note=body["note"], by=self.by)
            return self.shown(self.find(self.rows(), made.pk), status=201)

        return access.once(request, act)

    @once("audiences_change", "Rename an audience", AudienceChange, AudienceShape)
    def partial_update(self, body: dict[str, Any], pk: int) -> Response:
        """Its name and its note; new rows are a new version."""
        found = self.found(pk)
        saved.rename(found, **{"name": found.name, "note": found.note} | body, by=self.by)
        return self.retrieve(self.request, pk)

    @extend_schema(
        operation_id="audiences_remove", summary="Delete an audience for good", responses={204: None}
    )
    def destroy(self, request: Request, pk: int) -> Response:
        """With its history. One that a send used is archived instead: 409."""
        saved.delete(self.found(pk), by=self.by)
        return Response(status=204)

    @once("audiences_archive", "Archive an audience", NoBody, AudienceShape)
    def archive(self, body: dict[str, Any], pk: int) -> Response:
        """No send takes it any more; everything about it stays. Archiving twice is archiving once."""
        saved.archive(self.found(pk), by=self.by)
        return self.retrieve(self.request, pk)

    @once("audiences_bring_back", "Bring an archived audience back", NoBody, AudienceShape)
    def bring_back(self, body: dict[str, Any], pk: int) -> Response:
        """409 where another audience has its name by now."""
        saved.bring_back(self.found(pk), by=self.by)
        return self.retrieve(self.request, pk)


def packed_rows(body: dict[str, Any], *, service: Service) -> packing.Packed:
    """The rows, read to their end before a transaction begins."""
    field = "file" if body.get("file") else "csv"
    limits = Limits(bytes=settings.UPLOAD_MAX_BYTES, rows=settings.UPLOAD_MAX_ROWS)
    country = body.get("country") or service.default_country
    try:
        if field == "csv":
            choices = ReadingChoices.of(body)
            return packing.pack_pasted(body["csv"], country=country, limits=limits, choices=choices)
        file = body["file"]
        content = io.BytesIO(file.read())  # since what reads it may close it, and `access.once` reads it too
        file.seek(0)
        reading: dict[str, Any] = {"column": body.get("column"), "choices": ReadingChoices.of(body)}
        return packing.pack_file(content, name=file.name, country=country, limits=limits, **reading)
    except AudienceError as problem:
        raise refused(problem.for_program(field)) from None
    except errors.SavedError as problem:
        raise refused(problem.problem.at(field)) from None


class OfAudience(Resource):
    filter_backends = ()
    scopes: ClassVar[dict[str, str]] = {"list": "read", "create": "send"}

    def audience(self, pk: int) -> SavedAudience:
        rows = SavedAudience.objects.filter(service=self.service).select_related("current")
        found: SavedAudience = self.find(access.mine(self.request, rows), pk)
        return found


class AudienceVersions(OfAudience):
    unmatched = ("create",)
    serializer_class = VersionShape
    queryset = AudienceVersion.objects.defer("rejects")
    forms = ("create",)

    @extend_schema(operation_id="audiences_versions", summary="List the uploads of an audience")
    def list(self, request: Request, pk: int) -> Response:
        """The latest first."""
        return self.page(self.get_queryset().filter(audience=self.audience(pk)))

    @extend_schema(
        operation_id="audiences_replace",
        summary="Upload a new version of an audience",
        request={"application/json": RowsBody, "multipart/form-data": RowsUpload},
        responses={201: AudienceShape},
    )
    def create(self, request: Request, pk: int) -> HttpResponse:
        """Sends made from now on use it; earlier ones keep theirs."""
        body = self.read(RowsBody, RowsUpload)
        self.audience(pk)
        packed = packed_rows(body, service=self.service)

        def act() -> Response:
            saved.replace(self.audience(pk), packed, by=self.by)
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
        return self.paged(self.paginator.within(storage.rejects_of(version), request))
