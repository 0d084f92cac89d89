"""What partners send us: shapes only. Whether it can be done is `sms.compose`'s, `sms.inbound.optouts`'s and `sms.callbacks`' to say."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from sms.api.json_values import Written, repeated_name
from sms.api.v1.problems import invalid
from sms.models.callback import LONGEST_REFERENCE
from sms.values import unstorable
from sms.values.problems import ProblemCode
from sms.webex.values import without_bom

_decode = msgspec.json.Decoder(float_hook=Written).decode


class Json(JSONParser):
    """UTF-8 JSON. What is no JSON, what is no number and what is nested without end are ParseErrors."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        raw = without_bom(stream.read())
        try:
            found = _decode(raw)
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            if field := unstorable.unstorable_field(raw):
                raise invalid(field, unstorable.SAYS) from None
            raise ParseError(f"The body cannot be read: {problem}.") from None
        if name := repeated_name(raw):
            says = "An object of the body has this name twice, and only one value could count. Leave one out."
            raise invalid(name[:60], says, code=ProblemCode.ONLY_ONE)
        return found


class Strict(serializers.Serializer[Any]):
    """A body in which a name that we do not know is an error: a mistyped `send_at` must not send at once. Null is not given."""

    default_error_messages = {  # noqa: RUF012 - DRF's own spelling
        "invalid": 'The body is a JSON object, with names and values in curly brackets: {{"name": "value"}}.'
    }

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = [str(name) for name in data if name not in self.fields]
            if unknown:
                names = (
                    f"There are: {', '.join(self.fields)}." if self.fields else "Nothing is sent along here."
                )
                raise serializers.ValidationError(
                    {name[:60]: [f"There is no such field. {names}"] for name in unknown[:20]},
                    code=ProblemCode.UNKNOWN_FIELD,
                )
            if None in data.values():
                given = {name: value for name, value in data.items() if value is not None}
                data = given | {
                    name: None for name in data if data[name] is None and self.fields[name].allow_null
                }
        return super().to_internal_value(data)


@extend_schema_field({"type": "string", "format": "date-time"})
class Moment(serializers.Field[datetime, Any, str, Any]):
    """A date and time with its offset. Without one it could be meant in any zone, so it is refused."""

    def to_internal_value(self, data: Any) -> datetime:
        try:
            found = parse_datetime(data) if isinstance(data, str) else None
        except ValueError:
            found = None
        if found is None:
            raise serializers.ValidationError("Write a date and time like 2026-03-02T09:15:00Z.")
        if found.tzinfo is None:
            raise serializers.ValidationError("Write the zone too: end it with Z or an offset like +01:00.")
        if not 2000 <= found.year <= 2100:
            says = "Choose a time between the years 2000 and 2100."
            raise serializers.ValidationError(says, code=ProblemCode.OUT_OF_RANGE)
        return found.astimezone(UTC)

    def to_representation(self, value: datetime) -> str:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


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


class MessageSearchBody(SearchBody):
    """What messages are looked for by: a number, or what you call them or their recipient."""

    number = serializers.CharField(required=False, max_length=60)
    reference = serializers.CharField(
        required=False,
        max_length=LONGEST_REFERENCE,
        trim_whitespace=False,
        help_text="The recipient's reference, or the message's correlation id.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("number" in attrs) == ("reference" in attrs):
            code = ProblemCode.ONLY_ONE if "number" in attrs else ProblemCode.REQUIRED
            raise serializers.ValidationError({"number": ["Give number or reference."]}, code=code)
        return attrs


class NumbersBody(Strict):
    """Numbers, as people write them."""

    numbers = serializers.ListField(
        child=serializers.CharField(max_length=60), min_length=1, max_length=1000, allow_empty=False
    )


class OptOutBody(NumbersBody):
    """People who refuse further messages."""

    evidence = serializers.CharField(max_length=300, help_text="How you know, for the record.")


class LiftBody(NumbersBody):
    """People who asked to be written to again."""

    reason = serializers.CharField(max_length=150, help_text="Why they may be written to again.")


class ReplayBody(Strict):
    """Which callbacks are delivered again: those written from `since` until `until`."""

    since = Moment()
    until = Moment(required=False)
    failed_only = serializers.BooleanField(default=True)
