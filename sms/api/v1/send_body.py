"""The body of a send: who gets it, what it says, what is asked of the provider. Shapes only; the rest of the bodies are in `bodies`.

JSON (`SendBody`) and a form with a file (`SendUpload`) have the same fields but for where the recipients come from.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers

from sms.api.v1.bodies import Change, Moment, Strict
from sms.api.v1.option_fields import USUAL, WithOptions
from sms.api.v1.reading_fields import CountryField, UploadedFileField, WithHeadingRow, WithReading
from sms.api.v1.send_fields import Fillings, Recipients
from sms.compose.options import BELONGS
from sms.values.problems import ProblemCode

SOURCES = ("recipients", "csv", "file", "audience")
PLANNED = "To see what would happen, post the same body to /api/v1/sends/plan, without this field."


class SendFields(WithOptions, Strict):
    """What a send says, asks for, and is called."""

    elsewhere: ClassVar[dict[str, str]] = {
        "dry_run": PLANNED,
        "plan_row": f"{PLANNED} There, `row` chooses it.",
        "file": "A file comes as multipart/form-data.",
        "recipients": "A list of recipients comes as JSON; a form has a file.",
        "csv": "A table as a text comes as JSON; a form has a file.",
        "audience": "A saved audience comes as JSON; a form has a file.",
    }

    text = serializers.CharField(
        required=False,
        max_length=20_000,
        trim_whitespace=False,
        help_text="With placeholders like `$(name)`; values come from the rows.",
    )
    template = serializers.CharField(required=False, max_length=60, help_text="A template's name.")
    fillings = Fillings(required=False)
    column = serializers.CharField(
        required=False,
        max_length=200,
        help_text="Heading of the column with the numbers, if it is not found.",
    )
    country = CountryField(
        required=False, help_text="Numbers without a country code are read as this country's; ZZ for none."
    )
    allow_duplicates = serializers.BooleanField(default=False)
    strict = serializers.BooleanField(
        default=False,
        help_text="Refuse all of it where a row would be left out; otherwise the others are sent to.",
    )
    sender = serializers.CharField(
        required=False, max_length=16, help_text="A sender's address; the service's default one if left out."
    )
    name = serializers.CharField(required=False, max_length=100, help_text="What people see in lists.")
    send_at = Moment(required=False, help_text="When the first message may be posted; now if left out.")
    policy_group = serializers.CharField(required=False, max_length=80, help_text="A policy group's name.")
    link_domain = serializers.CharField(required=False, max_length=253, help_text="A domain's host.")
    labels = serializers.ListField(
        child=serializers.CharField(max_length=60),
        required=False,
        max_length=50,
        help_text="Words by which your team finds it and sorts reports; 10 at most. "
        "Kept and answered in lower case with hyphens for spaces, each once: `Spring sale` is `spring-sale`.",
    )
    client_reference = serializers.CharField(
        required=False, max_length=100, help_text="Your own name for it, unique for ever."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = [name for name in SOURCES if attrs.get(name)]
        if len(given) != 1:
            there = ", ".join(name for name in SOURCES if name in self.fields)
            raise serializers.ValidationError(
                {given[-1] if given else "recipients": [f"Give exactly one of {there}."]},
                code=ProblemCode.ONLY_ONE if given else ProblemCode.REQUIRED,
            )
        reading = [name for name in ("column", "country", "allow_duplicates") if attrs.get(name)]
        if given == ["audience"] and reading:
            raise serializers.ValidationError(
                {reading[0]: ["A saved audience was read when it was uploaded. Leave this out."]},
                code=ProblemCode.NEEDS_ANOTHER,
            )
        attrs = super().validate(attrs)
        for needed, names in BELONGS.items():
            # what nothing would come of was meant otherwise; a default and “no” are as if left out
            if not attrs.get(needed) and (
                idle := [name for name in names if attrs.get(name) not in (None, False, "", self.usual(name))]
            ):
                raise serializers.ValidationError(
                    {idle[0]: [f"This needs {needed}. Give it, or leave this out."]},
                    code=ProblemCode.NEEDS_ANOTHER,
                )
        asked = self.initial_data.get("receipts") or ()
        tracked = attrs.get("link_domain") and attrs.get("track_clicks")
        if "CLICKED" in asked and set(asked) != set(USUAL["receipts"]) and not tracked:
            says = "CLICKED needs links that are tracked: give link_domain and track_clicks, or leave it out."
            raise serializers.ValidationError({"receipts": [says]}, code=ProblemCode.NEEDS_ANOTHER)
        return attrs

    def posted_back(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """A send that has a template answers with its text too, which is the template's."""
        kept = super().posted_back(data)
        said_twice = kept is not data and kept.get("template")
        return {name: kept[name] for name in kept if name != "text"} if said_twice else kept


class SendBody(WithHeadingRow, SendFields):
    """A send. Exactly one of `recipients`, `csv` and `audience`; either `text` or `template`."""

    recipients = Recipients(required=False)
    csv = serializers.CharField(
        required=False, max_length=5_000_000, trim_whitespace=False, help_text="A table or a list of numbers."
    )
    audience = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="The id of a saved audience."
    )


class SendUpload(WithReading, SendFields):
    """A send to the rows of a file; either `text` or `template`."""

    file = UploadedFileField(help_text="CSV or a workbook (XLSX, ODS, XLS).")


class PlannedRow(serializers.Serializer[Any]):
    row = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        help_text="The row whose request is shown; the first one that gets a message if left out.",
    )


class PlanBody(PlannedRow, SendBody):
    """A send to be planned: the body of a send, and which row's request is shown."""


class PlanUpload(PlannedRow, SendUpload):
    """A send to the rows of a file, to be planned."""


class SendChange(Change):
    """What of a send can change before it begins."""

    send_at = Moment(help_text="When the first message may be posted.")
