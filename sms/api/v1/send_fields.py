"""Two fields of a send's body that are more than a text or a number: its recipients, and what fills its placeholders."""

from dataclasses import dataclass
from typing import Any

import msgspec
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from sms.api.json_values import Written, value_text
from sms.audiences.files.cells import WITHOUT_VALUE, plain
from sms.models.callback import LONGEST_CORRELATION_ID, LONGEST_REFERENCE
from sms.values.problems import ProblemCode, ProblemError
from sms.values.text import UNSTORABLE, match_key

MOST_RECIPIENTS = 10_000
MOST_VALUES = 100
LONGEST_TEXT = 2000  # characters of a number or a value
SOURCE_LIMITS = {"column": 200, "fallback": 500}  # characters
NUMBER = "number"
CORRELATION_ID, REFERENCE = "correlation_id", "reference"
PARTS = (NUMBER, "values", CORRELATION_ID, REFERENCE)  # of a listed recipient
NO_PART = ErrorDetail(
    f"There is no such field. There are: {', '.join(PARTS)}.", code=ProblemCode.UNKNOWN_FIELD
)


# components of the OpenAPI document
RECIPIENT = {
    "type": "object",
    "description": "A number with the values of its placeholders, and what you call it.",
    "required": ["number"],
    "additionalProperties": False,
    "properties": {
        "number": {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT},
        "values": {
            "type": ["object", "null"],
            "maxProperties": MOST_VALUES,
            "additionalProperties": {
                "type": ["string", "number", "boolean", "null"],
                "maxLength": LONGEST_TEXT,
            },
        },
        CORRELATION_ID: {
            "type": ["string", "null"],
            "maxLength": LONGEST_CORRELATION_ID,
            "description": "What you call this message; it comes back in events and messages.",
        },
        REFERENCE: {
            "type": ["string", "null"],
            "maxLength": LONGEST_REFERENCE,
            "description": "What you call this recipient; by it messages, rejects and events are found.",
        },
    },
}
RECIPIENT_OR_NUMBER = {
    "oneOf": [
        {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT},
        {"$ref": "#/components/schemas/Recipient"},
    ]
}
FILLING = {
    "type": "object",
    "description": "What fills a placeholder: a column, and what stands where it is empty.",
    "additionalProperties": False,
    "minProperties": 1,
    "properties": {
        "column": {"type": "string", "minLength": 1, "maxLength": 200},
        "fallback": {"type": "string", "minLength": 1, "maxLength": 500},
    },
}


@extend_schema_field(
    {
        "type": "object",
        "maxProperties": MOST_VALUES,
        "description": "By placeholder: the column that fills it, and what stands there where a row has nothing. As JSON in a form.",
        "additionalProperties": {"$ref": "#/components/schemas/Filling"},
    }
)
class Fillings(serializers.Field[dict[str, dict[str, str]], Any, Any, Any]):
    """What fills placeholders beyond the column of their name. Whether there is such a column is `sms.compose`'s to say."""

    def to_internal_value(self, data: Any) -> dict[str, dict[str, str]]:
        """Each is an object of two texts, or the error names the placeholder."""
        if isinstance(data, str):  # of a form, beside a file
            try:
                data = msgspec.json.decode(str(data))  # takes no half characters, as for a whole body
            except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
                data = None
        if not isinstance(data, dict) or len(data) > MOST_VALUES:
            says = 'Write an object like {"name": {"column": "Customer", "fallback": "friend"}}.'
            raise serializers.ValidationError(says)
        wrong = {
            name[:60]: [problem] for name, one in data.items() if (problem := _source_problem(name, one))
        }
        if wrong:
            raise serializers.ValidationError(wrong)  # flattened by `problems`
        return {name: _given(one) for name, one in data.items()}


def _given(source: Any) -> dict[str, Any]:
    """Without what is null; nothing where it is no object."""
    return (
        {part: value for part, value in source.items() if value is not None}
        if isinstance(source, dict)
        else {}
    )


def _source_problem(name: str, one: Any) -> str:
    one = _given(one)
    if not one or not set(one) <= SOURCE_LIMITS.keys():
        return 'Write {"column": "…"}, {"fallback": "…"}, or both.'
    for part, most in SOURCE_LIMITS.items():
        value = one.get(part, "-")
        if not isinstance(value, str) or not value.strip() or len(value) > most or UNSTORABLE.search(value):
            return f"Write {part} as a text of up to {most} characters, or leave it out."
    return "" if name.strip() and not UNSTORABLE.search(name) else "A placeholder needs a name."


@dataclass(frozen=True, slots=True)
class ListedRecipient:
    """A number as it was written, with the values of its placeholders."""

    number: str
    values: dict[str, str]
    correlation_id: str = ""
    reference: str = ""


@extend_schema_field(
    {
        "type": "array",
        "minItems": 1,
        "maxItems": MOST_RECIPIENTS,
        "description": "Numbers, or numbers with the values for the placeholders. Rows count from 1.",
        "items": {"$ref": "#/components/schemas/RecipientOrNumber"},
    }
)
class Recipients(serializers.Field[list[ListedRecipient], Any, Any, Any]):
    """The recipients in the order of their rows. Whether a number can exist is checked row by row when the audience is read."""

    parts = PARTS

    def to_internal_value(self, data: Any) -> list[ListedRecipient]:
        """Every row has the right shape, or the error names those that have not."""
        if not isinstance(data, list) or not data:
            says = "Write a list of at least one recipient."
            code = ProblemCode.REQUIRED if data == [] else ProblemCode.INVALID
            raise serializers.ValidationError(says, code=code)
        if len(data) > MOST_RECIPIENTS:
            raise serializers.ValidationError(
                f"There are {len(data):,} recipients; a list takes {MOST_RECIPIENTS:,}. Send more as a file.",
                code=ProblemCode.TOO_MANY,
            )
        wrong: dict[int, list[ErrorDetail] | dict[str, list[ErrorDetail]]] = {}
        rows = []
        for place, item in enumerate(data):
            try:
                if strange := isinstance(item, dict) and item.keys() - PARTS:
                    wrong[place] = {name[:60]: [NO_PART] for name in sorted(strange)[:MOST_VALUES]}
                else:
                    rows.append(_recipient(item))
            except ProblemError as problem:
                wrong[place] = [ErrorDetail(str(problem), problem.code)]
            if len(wrong) == 100:
                break
        if wrong:
            raise serializers.ValidationError(wrong)  # type: ignore[arg-type]  # flattened by `problems`
        if len({name for row in rows for name in row.values}) > MOST_VALUES:
            says = f"All rows together name more than {MOST_VALUES} values."
            raise serializers.ValidationError(says, code=ProblemCode.TOO_MANY)
        return rows


def _recipient(item: Any) -> ListedRecipient:
    if isinstance(item, str):
        item = {NUMBER: item}
    if not isinstance(item, dict):
        says = 'Write a number as a text, or {"number": "…", "values": {…}}.'
        raise ProblemError(ProblemCode.INVALID, says)
    item = {name: value for name, value in item.items() if value is not None}
    number, values, called = item.get(NUMBER), item.get("values", {}), item.get(CORRELATION_ID, "")
    if isinstance(values, dict):
        values = {name: value_text(value) for name, value in values.items() if value is not None}
    if not isinstance(number, str) or isinstance(number, Written) or not number.strip():
        raise ProblemError(ProblemCode.REQUIRED, "The number is missing. Write it as a text.")
    if not isinstance(called, str) or len(called) > LONGEST_CORRELATION_ID:
        says = f"A correlation id is a text of up to {LONGEST_CORRELATION_ID} characters."
        raise ProblemError(ProblemCode.TOO_LONG if isinstance(called, str) else ProblemCode.INVALID, says)
    reference = _reference(item.get(REFERENCE, ""))
    if not isinstance(values, dict):
        raise ProblemError(ProblemCode.INVALID, "Values are texts or numbers by name.")
    if wrong := [name for name, value in values.items() if value is None]:
        says = f"The value of “{wrong[0][:60]}” is a list or an object. Write a text or a number."
        raise ProblemError(ProblemCode.INVALID, says)
    if len(values) > MOST_VALUES:
        raise ProblemError(ProblemCode.TOO_MANY, f"A row has {MOST_VALUES} values at most.")
    for name in values:
        if not name.strip() or match_key(name) == match_key(NUMBER):
            says = "A value needs a name, and “number” is the recipient's own."
            raise ProblemError(ProblemCode.INVALID, says)
        if called and match_key(name) == match_key(CORRELATION_ID):
            raise ProblemError(ProblemCode.ONLY_ONE, "Write the correlation id once, beside the number.")
    for text in (number, called, reference, *values, *values.values()):
        if len(text) > LONGEST_TEXT or UNSTORABLE.search(text):
            raise ProblemError(
                ProblemCode.TOO_LONG if len(text) > LONGEST_TEXT else ProblemCode.BROKEN_TEXT,
                f"A text has more than {LONGEST_TEXT:,} characters, or holds a character that cannot be stored.",
            )
    return ListedRecipient(number, {name.strip(): value for name, value in values.items()}, called, reference)


def _reference(given: Any) -> str:
    """Only what comes back as it was given: it stands in a cell on its way."""
    if not isinstance(given, str) or len(given) > LONGEST_REFERENCE:
        says = f"A reference is a text of up to {LONGEST_REFERENCE} characters."
        raise ProblemError(ProblemCode.TOO_LONG if isinstance(given, str) else ProblemCode.INVALID, says)
    if given != plain(given) or "\n" in given or given in WITHOUT_VALUE:
        says = "A reference has no line break, no space before or after it, and is no formula."
        raise ProblemError(ProblemCode.INVALID, says)
    return given
