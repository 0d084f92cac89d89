"""What partners send and get of saved audiences."""

from typing import Any

from rest_framework import serializers

from sms.api.v1.bodies import Strict
from sms.api.v1.sparse import Sparse


class RowsBody(Strict):
    """Recipients to keep: exactly one of `file` and `csv`."""

    file = serializers.FileField(required=False, help_text="CSV or XLSX, as multipart/form-data.")
    csv = serializers.CharField(
        required=False, max_length=5_000_000, trim_whitespace=False, help_text="A table or a list of numbers."
    )
    column = serializers.CharField(
        required=False,
        max_length=200,
        help_text="Of a file: heading of the column with the numbers, if it is not found.",
    )
    country = serializers.RegexField(
        r"^[A-Z]{2}\Z", required=False, help_text="Numbers without a country code are read as this country's."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = [name for name in ("file", "csv") if attrs.get(name)]
        if len(given) != 1:
            raise serializers.ValidationError({"file": ["Give exactly one of file and csv."]})
        if given == ["csv"] and attrs.get("column"):
            raise serializers.ValidationError({"column": ["Only a file has a column to choose."]})
        return attrs


class AudienceBody(RowsBody):
    """A new audience with its first rows."""

    name = serializers.CharField(max_length=100, help_text="Unique among those in use.")
    note = serializers.CharField(max_length=200, default="", allow_blank=True)


class AudienceChange(Strict):
    """Another name or note."""

    name = serializers.CharField(max_length=100, required=False)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True)


class VersionShape(Sparse):
    """One upload. Its figures stay for good; its rows may be erased."""

    version = serializers.IntegerField(source="number", help_text="1 for the first upload.")
    source = serializers.CharField(help_text="File name, or how the rows came.")  # type: ignore[assignment]
    country = serializers.CharField()
    headings = serializers.ListField(child=serializers.CharField(allow_blank=True))
    column = serializers.CharField(allow_blank=True, help_text="The column of the numbers.")
    recipients = serializers.IntegerField()
    rejected = serializers.IntegerField()
    uploaded_at = serializers.DateTimeField(source="made_at")
    erased_at = serializers.DateTimeField(allow_null=True)


class AudienceShape(Sparse):
    """A named list of recipients with its latest upload, which sends use."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    current = VersionShape(allow_null=True)
    created_at = serializers.DateTimeField()
    archived_at = serializers.DateTimeField(allow_null=True)
