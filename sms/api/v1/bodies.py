"""What partners send us: shapes only. Whether it can be done is `sms.compose`'s, `sms.optout`'s and `sms.callbacks`' to say."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from sms.callbacks.acts import KINDS
from sms.models import Lane, Resend
from sms.text import match_key

MOST_RECIPIENTS = 10_000
MOST_VALUES = 100
NUMBER = "number"
_CONTROL = re.compile("[\x00\ud800-\udfff]")


class Strict(serializers.Serializer[Any]):
    """A body in which a name that we do not know is an error: a mistyped `send_at` must not send at once."""

    def to_internal_value(self, data: Any) -> Any:
        """Unknown names first, then the fields."""
        if isinstance(data, Mapping):
            unknown = [str(name) for name in data if name not in self.fields]
            if unknown:
                names = ", ".join(self.fields)
                raise serializers.ValidationError(
                    {name[:60]: [f"There is no such field. There are: {names}."] for name in unknown[:20]}
                )
        return super().to_internal_value(data)


@extend_schema_field({"type": "string", "format": "date-time"})
class Moment(serializers.Field[datetime, Any, str, Any]):
    """A date and time with its offset. Without one it could be meant in any zone, so it is refused."""

    def to_internal_value(self, data: Any) -> datetime:
        """In UTC."""
        try:
            found = parse_datetime(data) if isinstance(data, str) else None
        except ValueError:
            found = None
        if found is None:
            raise serializers.ValidationError("Write a date and time like 2026-03-02T09:15:00Z.")
        if found.tzinfo is None:
            raise serializers.ValidationError("Write the zone too: end it with Z or an offset like +01:00.")
        if not 2000 <= found.year <= 2100:
            raise serializers.ValidationError("Choose a time between the years 2000 and 2100.")
        return found.astimezone(UTC)

    def to_representation(self, value: datetime) -> str:
        """ISO 8601 in UTC."""
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


@extend_schema_field(
    {
        "type": "array",
        "minItems": 1,
        "maxItems": MOST_RECIPIENTS,
        "description": "Numbers, or numbers with the values for the placeholders. Rows count from 1.",
        "items": {
            "oneOf": [
                {"type": "string", "minLength": 1, "maxLength": 2000},
                {
                    "type": "object",
                    "required": ["number"],
                    "additionalProperties": False,
                    "properties": {
                        "number": {"type": "string", "minLength": 1, "maxLength": 2000},
                        "values": {
                            "type": "object",
                            "maxProperties": MOST_VALUES,
                            "additionalProperties": {"type": "string", "maxLength": 2000},
                        },
                    },
                },
            ]
        },
    }
)
class Recipients(serializers.Field[list[tuple[str, dict[str, str]]], Any, Any, Any]):
    """The recipients as (number, values). Whether a number can exist is looked at later, row by row."""

    def to_internal_value(self, data: Any) -> list[tuple[str, dict[str, str]]]:
        """Every row has the right shape, or the error names those that have not."""
        if not isinstance(data, list) or not data:
            raise serializers.ValidationError("Write a list of at least one recipient.")
        if len(data) > MOST_RECIPIENTS:
            raise serializers.ValidationError(
                f"There are {len(data):,} recipients; a list takes {MOST_RECIPIENTS:,}. Send more as a file."
            )
        wrong: dict[int, list[str]] = {}
        rows = []
        for place, item in enumerate(data):
            try:
                rows.append(_recipient(item))
            except ValueError as problem:
                wrong[place] = [str(problem)]
                if len(wrong) == 100:
                    break
        if wrong:
            raise serializers.ValidationError(wrong)  # type: ignore[arg-type]  # flattened by `problems`
        if len({name for _, values in rows for name in values}) > MOST_VALUES:
            raise serializers.ValidationError(f"All rows together name more than {MOST_VALUES} values.")
        return rows


def _recipient(item: Any) -> tuple[str, dict[str, str]]:
    if isinstance(item, str):
        item = {NUMBER: item}
    if not isinstance(item, dict) or not set(item) <= {NUMBER, "values"}:
        raise ValueError('Write a number as a text, or {"number": "…", "values": {…}}.')
    number, values = item.get(NUMBER), item.get("values", {})
    if not isinstance(number, str) or not number.strip():
        raise ValueError("The number is missing. Write it as a text.")
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise ValueError("Values are texts by name.")
    if len(values) > MOST_VALUES:
        raise ValueError(f"A row has {MOST_VALUES} values at most.")
    for name in values:
        if not name.strip() or match_key(name) == match_key(NUMBER):
            raise ValueError("A value needs a name, and “number” is the recipient's own.")
    for text in (number, *values, *values.values()):
        if len(text) > 2000 or _CONTROL.search(text):
            raise ValueError(
                "A text has more than 2,000 characters, or holds a character that cannot be stored."
            )
    return number, {name.strip(): value for name, value in values.items()}


SOURCES = ("recipients", "csv", "file", "audience")
LANES = {lane.name.lower(): lane for lane in Lane}


class SendBody(Strict):
    """A send. Exactly one of `recipients`, `csv`, `file` and `audience`; either `text` or `template`."""

    text = serializers.CharField(
        required=False,
        max_length=20_000,
        trim_whitespace=False,
        help_text="With placeholders like `$(name)`; values come from the rows.",
    )
    template = serializers.CharField(required=False, max_length=60, help_text="A template's name.")
    recipients = Recipients(required=False)
    csv = serializers.CharField(
        required=False, max_length=5_000_000, trim_whitespace=False, help_text="A table or a list of numbers."
    )
    file = serializers.FileField(required=False, help_text="CSV or XLSX, as multipart/form-data.")
    audience = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="The id of a saved audience."
    )
    column = serializers.CharField(
        required=False,
        max_length=200,
        help_text="Heading of the column with the numbers, if it is not found.",
    )
    country = serializers.RegexField(
        r"^[A-Z]{2}\Z", required=False, help_text="Numbers without a country code are read as this country's."
    )
    allow_duplicates = serializers.BooleanField(default=False)
    sender = serializers.CharField(
        required=False, max_length=15, help_text="A sender's address; the service's default one if left out."
    )
    name = serializers.CharField(required=False, max_length=100, help_text="What people see in lists.")
    send_at = Moment(required=False, help_text="When the first message may be posted; now if left out.")
    expires_at = Moment(required=False, help_text="After this nothing more is posted.")
    policy_group = serializers.CharField(required=False, max_length=80, help_text="A policy group's name.")
    link_domain = serializers.CharField(required=False, max_length=253, help_text="A domain's host.")
    labels = serializers.ListField(
        child=serializers.CharField(max_length=60),
        required=False,
        max_length=50,
        help_text="Words by which your team finds it and sorts reports; 10 at most, kept in lower case.",
    )
    callback_data = serializers.CharField(required=False, max_length=1500)
    client_reference = serializers.CharField(
        required=False, max_length=100, help_text="Your own name for it, unique for ever."
    )
    lane = serializers.ChoiceField(choices=list(LANES), default="normal")
    resend = serializers.ChoiceField(choices=Resend.values, default=Resend.NEVER.value)
    ramp = serializers.BooleanField(default=False, help_text="1 % first, then 10 %, then the rest.")
    respect_quiet_hours = serializers.BooleanField(default=True)
    dry_run = serializers.BooleanField(
        default=False, help_text="Answer with what would happen, and do nothing."
    )
    plan_row = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        help_text="With `dry_run`: the row whose request is shown; the first one if left out.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The recipients come one way."""
        given = [name for name in SOURCES if attrs.get(name)]
        if len(given) != 1:
            raise serializers.ValidationError(
                {given[-1] if given else "recipients": [f"Give exactly one of {', '.join(SOURCES)}."]}
            )
        reading = [name for name in ("column", "country", "allow_duplicates") if attrs.get(name)]
        if given == ["audience"] and reading:
            raise serializers.ValidationError(
                {reading[0]: ["A saved audience was read when it was uploaded. Leave this out."]}
            )
        return attrs


class SendChange(Strict):
    """What of a send can change before it begins."""

    send_at = Moment(help_text="When the first message may be posted.")


class HoldBody(Strict):
    """Why a send is paused."""

    because = serializers.CharField(max_length=300, default="Paused by the API")


class NoBody(Strict):
    """Nothing is sent along, or an empty object."""


class SearchBody(Strict):
    """A number to look for. It stands in the body, so that no log of addresses holds it."""

    number = serializers.CharField(max_length=60)
    limit = serializers.IntegerField(default=50, min_value=1, max_value=200)
    cursor = serializers.CharField(required=False, max_length=40)


class NumbersBody(Strict):
    """Numbers, as people write them."""

    numbers = serializers.ListField(
        child=serializers.CharField(max_length=60), min_length=1, max_length=1000, allow_empty=False
    )


class OptOutBody(NumbersBody):
    """People who refuse further messages."""

    evidence = serializers.CharField(max_length=300, help_text="How you know, for whoever asks later.")


class LiftBody(NumbersBody):
    """People who asked to be written to again."""

    reason = serializers.CharField(max_length=150, help_text="Why they may be written to again.")


class EndpointBody(Strict):
    """A receiver of callbacks."""

    name = serializers.CharField(max_length=80)
    url = serializers.CharField(max_length=2000)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=sorted(KINDS)),
        default=list,
        max_length=len(KINDS),
        help_text="Which events it gets; empty means all.",
    )
    full_numbers = serializers.BooleanField(default=False, help_text="Needs the scope `numbers`.")


class EndpointChange(Strict):
    """What of an endpoint can change; another address is another endpoint."""

    name = serializers.CharField(max_length=80, required=False)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=sorted(KINDS)), required=False, max_length=len(KINDS)
    )
    full_numbers = serializers.BooleanField(required=False)


class ReplayBody(Strict):
    """Which callbacks are delivered again: those written from `since` until `until`."""

    since = Moment()
    until = Moment(required=False)
    failed_only = serializers.BooleanField(default=True)
