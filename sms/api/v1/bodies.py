"""What partners send us: shapes only. Whether it can be done is `sms.compose`'s, `sms.inbound.optouts`'s and `sms.callbacks`' to say."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

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
from sms.webex.limits import LARGEST_TEXT_LIMIT
from sms.webex.values import without_bom
from sms.webex.wire import stamp

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
    """A body in which a name that we do not know is an error: a mistyped `send_at` must not send at once.

    Null, an empty text, an empty list and an empty object are as if the field were left out, and so is its default. What was read of a
    thing can be posted back to make another: where its `id` stands, the names that only Textdesk writes are passed over. The context's
    `answered` has them.
    """

    elsewhere: ClassVar[dict[str, str]] = {}  # what to do instead, by a name that is no field here

    default_error_messages = {  # noqa: RUF012 - DRF's own spelling
        "invalid": 'The body is a JSON object, with names and values in curly brackets: {{"name": "value"}}.'
    }

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            data = self.posted_back(data)
            if unknown := [str(name) for name in data if name not in self.fields]:
                raise serializers.ValidationError(
                    {name[:60]: [self._no_field(name)] for name in unknown[:20]},
                    code=ProblemCode.UNKNOWN_FIELD,
                )
            data = {name: value for name, value in data.items() if not self.is_left_out(value)}
        return super().to_internal_value(data)

    def posted_back(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """What of a thing that was read can be said of another."""
        answered = self.context.get("answered", ())
        if "id" not in data or "id" not in answered:
            return data
        return {name: value for name, value in data.items() if name in self.fields or name not in answered}

    def is_left_out(self, value: Any) -> bool:
        return value is None or value in ("", [], {})

    def meant(self) -> dict[str, Any]:
        """What was said, without what is as if it were left out: the same for requests that mean the same."""
        return {
            name: value
            for name, value in self.posted_back(self.initial_data).items()
            if not self.is_left_out(value) and value != self.usual(name)
        }

    def usual(self, name: str) -> Any:
        """The default of a field, as JSON has it; None where it has none."""
        default = self.fields[name].default
        if default is serializers.empty or callable(default):
            return None
        return self.fields[name].to_representation(default)

    def _no_field(self, name: str) -> str:
        if name in self.elsewhere:
            return f"There is no such field here. {self.elsewhere[name]}"
        if not self.fields:
            return "There is no such field. Nothing is sent along here."
        return f"There is no such field. There are: {', '.join(self.fields)}."


class Change(Strict):
    """What of a thing can change: what is left out or null stays, and what is empty becomes empty.

    What was read of it can be sent back: what is as it was changes nothing, and of a field that only Textdesk writes another value is an
    error. The context's `present` reads it.
    """

    def posted_back(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        present = self.context.get("present")
        if present is None or all(name in self.fields for name in data):
            return data
        known = present()
        if other := [
            name for name in data if name in known and name not in self.fields and data[name] != known[name]
        ]:
            raise serializers.ValidationError(
                {name: [self._fixed(name)] for name in other[:20]}, code=ProblemCode.INVALID
            )
        needed = {name for name, field in self.fields.items() if field.required}
        return {
            name: value
            for name, value in data.items()
            if name in needed or name not in known or value != known[name]
        }

    def _fixed(self, name: str) -> str:
        return f"It cannot be changed here. Leave it out, or send it as it was read. What can: {', '.join(self.fields)}."

    def is_left_out(self, value: Any) -> bool:
        return value is None


@extend_schema_field({"type": "string", "format": "date-time"})
class Moment(serializers.Field[datetime, Any, str, Any]):
    """A date and time with its offset. Without one it could be meant in any zone, so it is refused. Answered in UTC."""

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

    def to_representation(self, value: datetime | str) -> str:
        return stamp(datetime.fromisoformat(value) if isinstance(value, str) else value)


class HoldBody(Strict):
    """Why a send is paused."""

    reason = serializers.CharField(max_length=300, default="Paused by the API")


class AnswerBody(Strict):
    """What is answered to an incoming SMS: a text, or a template of which nothing has to be filled in."""

    text = serializers.CharField(required=False, max_length=LARGEST_TEXT_LIMIT, trim_whitespace=False)
    template = serializers.CharField(
        required=False, max_length=60, help_text="Name of a template of the service."
    )
    respect_quiet_hours = serializers.BooleanField(
        required=False, help_text="Left out, as the key has it: false for one that is transactional."
    )
    done = serializers.BooleanField(default=False, help_text="The conversation needs no answer then.")


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

    def posted_back(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """An opt-out that was read has one number."""
        kept = super().posted_back(data)
        return kept if kept is data else {"numbers": [data.get("number")], **kept}


class LiftBody(NumbersBody):
    """People who asked to be written to again."""

    reason = serializers.CharField(max_length=150, help_text="Why they may be written to again.")


class ReplayBody(Strict):
    """Which callbacks are delivered again: those written from `since` until `until`."""

    since = Moment()
    until = Moment(required=False)
    failed_only = serializers.BooleanField(default=True)
