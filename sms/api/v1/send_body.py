"""The body of a send: who gets it, what it says, what is asked of the provider. Shapes only; the rest of the bodies are in `bodies`."""

import json
import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from sms.api.v1.bodies import Moment, Strict
from sms.compose.options import LONGEST_VALIDITY, RECEIPTS
from sms.models import Lane, Resend
from sms.values.text import match_key

MOST_RECIPIENTS = 10_000
MOST_VALUES = 100
FILLING = {"column": 200, "fallback": 500}  # characters
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
            name[:60]: [problem] for name, one in data.items() if (problem := _filling_problem(name, one))
        }
        if wrong:
            raise serializers.ValidationError(wrong)  # flattened by `problems`
        return data


def _filling_problem(name: str, one: Any) -> str:
    if not isinstance(one, dict) or not one or not set(one) <= FILLING.keys():
        return 'Write {"column": "…"}, {"fallback": "…"}, or both.'
    for part, most in FILLING.items():
        value = one.get(part, "-")
        if not isinstance(value, str) or not value.strip() or len(value) > most or _CONTROL.search(value):
            return f"Write {part} as a text of up to {most} characters, or leave it out."
    return "" if name.strip() and not _CONTROL.search(name) else "A placeholder needs a name."


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
    """The recipients as (number, values). Whether a number can exist is checked row by row when the audience is read."""

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
BELONGS = {
    "template": ("language",),
    "link_domain": ("track_clicks", "tag1", "tag2"),
    "policy_group": ("check_consent", "apply_frequency_cap"),
}
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
    language = serializers.CharField(
        required=False, max_length=20, help_text="Of the template; its wording without one if left out."
    )
    fillings = Fillings(required=False)
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
    validity = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=LONGEST_VALIDITY,
        help_text="Seconds from the hand-over after which an operator gives up, instead of `expires_at`.",
    )
    policy_group = serializers.CharField(required=False, max_length=80, help_text="A policy group's name.")
    check_consent = serializers.BooleanField(
        required=False, allow_null=True, help_text="At each message; as the policy group says if left out."
    )
    apply_frequency_cap = serializers.BooleanField(
        required=False, allow_null=True, help_text="As the policy group says if left out."
    )
    link_domain = serializers.CharField(required=False, max_length=253, help_text="A domain's host.")
    track_clicks = serializers.BooleanField(
        default=True, help_text="Of the links that are shortened on `link_domain`."
    )
    tag1 = serializers.CharField(
        required=False,
        max_length=50,
        help_text="Of the links, for reports of the provider: letters, digits, _ and -.",
    )
    tag2 = serializers.CharField(required=False, max_length=50)
    receipts = serializers.ListField(
        child=serializers.ChoiceField(choices=list(RECEIPTS)),
        required=False,
        min_length=1,
        max_length=len(RECEIPTS),
        help_text="Which the provider is asked for; all but SENT if left out. CLICKED needs `track_clicks`.",
    )
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
        for needed, names in BELONGS.items():
            # what nothing would come of was meant otherwise
            if not attrs.get(needed) and (
                idle := [name for name in names if self.initial_data.get(name) is not None]
            ):
                raise serializers.ValidationError(
                    {idle[0]: [f"This needs {needed}. Give it, or leave this out."]}
                )
        return attrs


class SendChange(Strict):
    """What of a send can change before it begins."""

    send_at = Moment(help_text="When the first message may be posted.")
