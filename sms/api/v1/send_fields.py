"""Two fields of a send's body that are more than a text or a number: its recipients, and what fills its placeholders."""

import json
import re
from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from sms.values.text import match_key

MOST_RECIPIENTS = 10_000
MOST_VALUES = 100
SOURCE_LIMITS = {"column": 200, "fallback": 500}  # characters
NUMBER = "number"
_CONTROL = re.compile("[\x00\ud800-\udfff]")


@extend_schema_field(
    {
        "type": "object",
        "maxProperties": MOST_VALUES,
        "description": "By placeholder: the column that fills it, and what stands there where a row has nothing. As JSON in a form.",
        "additionalProperties": {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "properties": {
                "column": {"type": "string", "minLength": 1, "maxLength": 200},
                "fallback": {"type": "string", "minLength": 1, "maxLength": 500},
            },
        },
    }
)
class Fillings(serializers.Field[dict[str, dict[str, str]], Any, Any, Any]):
    """What fills placeholders beyond the column of their name. Whether there is such a column is `sms.compose`'s to say."""

    def to_internal_value(self, data: Any) -> dict[str, dict[str, str]]:
        """Each is an object of two texts, or the error names the placeholder."""
        if isinstance(data, str):  # of a form, beside a file
            try:
                data = json.loads(data)
            except (ValueError, RecursionError):
                data = None
        if not isinstance(data, dict) or len(data) > MOST_VALUES:
            raise serializers.ValidationError(
                'Write an object like {"name": {"column": "Customer", "fallback": "friend"}}.'
            )
        wrong = {
            name[:60]: [problem] for name, one in data.items() if (problem := _source_problem(name, one))
        }
        if wrong:
            raise serializers.ValidationError(wrong)  # flattened by `problems`
        return data


def _source_problem(name: str, one: Any) -> str:
    if not isinstance(one, dict) or not one or not set(one) <= SOURCE_LIMITS.keys():
        return 'Write {"column": "…"}, {"fallback": "…"}, or both.'
    for part, most in SOURCE_LIMITS.items():
        value = one.get(part, "-")
        if not isinstance(value, str) or not value.strip() or len(value) > most or _CONTROL.search(value):
            return f"Write {part} as a text of up to {most} characters, or leave it out."
    return "" if name.strip() and not _CONTROL.search(name) else "A placeholder needs a name."


@dataclass(frozen=True, slots=True)
class ListedRecipient:
    """A number as it was written, with the values of its placeholders."""

    number: str
    values: dict[str, str]


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
class Recipients(serializers.Field[list[ListedRecipient], Any, Any, Any]):
    """The recipients in the order of their rows. Whether a number can exist is checked row by row when the audience is read."""

    def to_internal_value(self, data: Any) -> list[ListedRecipient]:
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
        if len({name for row in rows for name in row.values}) > MOST_VALUES:
            raise serializers.ValidationError(f"All rows together name more than {MOST_VALUES} values.")
        return rows


def _recipient(item: Any) -> ListedRecipient:
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
    return ListedRecipient(number, {name.strip(): value for name, value in values.items()})
