"""How a file is read, as fields of a body: which sheet, which row has the headings, what becomes of hidden rows and columns."""

from typing import Any

import phonenumbers
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from sms.api.v1.bodies import Strict
from sms.audiences.files.choices import HIDDEN, LAST_ROW
from sms.values.problems import ProblemCode


@extend_schema_field({"type": "string", "pattern": "^[A-Z]{2}$"})
class CountryField(serializers.CharField):
    """A country of ISO 3166, or ZZ for none."""

    choices = (*sorted(phonenumbers.SUPPORTED_REGIONS), "ZZ")
    SAYS = "Write two capital letters of ISO 3166, like GB; ZZ where every number has its country code."

    def to_internal_value(self, data: Any) -> str:
        given = super().to_internal_value(data)
        if given not in self.choices:
            raise serializers.ValidationError(self.SAYS, code=ProblemCode.INVALID_CHOICE)
        return given


@extend_schema_field({"type": "string", "format": "binary"})
class UploadedFileField(serializers.FileField):
    """A file of a form."""


class WithHeadingRow(Strict):
    """A table in `csv` is read with it."""

    heading_row = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=LAST_ROW,
        help_text="The row with the headings, counted from 1; 0 where there are none; found if left out.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "heading_row" in attrs and not (attrs.get("csv") or attrs.get("file")):
            says = "Only a file or a table is read in this way. Leave this out."
            raise serializers.ValidationError({"heading_row": [says]}, code=ProblemCode.NEEDS_ANOTHER)
        return super().validate(attrs)


class WithReading(WithHeadingRow):
    """A `file` is read with all of them."""

    sheet = serializers.CharField(
        required=False,
        max_length=200,
        help_text="Of a workbook; the first visible sheet that has rows if left out.",
    )
    hidden_rows = serializers.ChoiceField(
        choices=HIDDEN,
        required=False,
        help_text="What becomes of rows that are hidden, as a filter does. A file with such rows is refused without it.",
    )
    hidden_columns = serializers.ChoiceField(
        choices=HIDDEN, required=False, help_text="What becomes of hidden columns; left out if not said."
    )
