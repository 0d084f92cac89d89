"""The destinations of a request: `to`, its numbers, and the text that each of them gets."""

import re
from typing import Any, NamedTuple

from sms.webex.sandbox import message_text
from sms.webex.sandbox.fields import block, string
from sms.webex.sandbox.refusals import SandboxRefused, invalid, late, missing
from sms.webex.sandbox.settings import Settings
from sms.webex.sandbox.switches import Switches

MOST = 1000
LONGEST_CORRELATION = 50  # bytes; of the sibling API

_NUMBER = re.compile(r"\+?([1-9][0-9]{6,14})")


class SandboxDestination(NamedTuple):
    msisdn: str  # E.164 when it can be, otherwise as given
    digits: str  # "" when the number cannot exist
    correlation: str
    text: str
    fault: str  # the code that the message fails with, "" for none


def read(data: dict[str, Any], text: str, settings: Settings, *, unicode: bool) -> list[SandboxDestination]:
    """Each number with its text, values put in."""
    to, switches = data.get("to"), settings.switches
    if to is None or to == []:
        raise missing("to")
    if not isinstance(to, list):
        raise invalid("to")
    if len(to) > MOST:
        raise _too_many()
    shared = _substitutions(data, switches)
    dynamic = "$" in text and (data.get("template") is not None or switches.inline_values == "fill")
    found: list[SandboxDestination] = []
    for entry in to:
        numbers = _numbers(block(entry, "to", switches))
        own = _substitutions(entry, switches)
        correlation = _correlation(entry, switches)
        # The object's own values take "precedence over the substitutions block that is outside".
        filled, fault = _filled(text, shared | own if dynamic else None, settings, unicode=unicode)
        for number in numbers:
            digits = _digits(number, switches)
            shown = "+" + digits if digits else number
            found.append(SandboxDestination(shown, digits, correlation, filled, fault if digits else "7102"))
        if len(found) > MOST and switches.destinations_counted == "numbers":
            raise _too_many()
    return found


def _too_many() -> SandboxRefused:
    return SandboxRefused("7009", f"Number of destinations is limited to {MOST}")


def _numbers(entry: dict[str, Any]) -> list[str]:
    """The texts of ``msisdn``; whether a number can exist is told by a receipt, not here."""
    numbers = entry.get("msisdn")
    if numbers is None or numbers == []:
        raise missing("msisdn")
    if not isinstance(numbers, list):
        raise invalid("msisdn")
    for one in numbers:
        if one is None or one == "":
            raise missing("msisdn")
        if not isinstance(one, str):
            raise invalid("msisdn")
    return numbers


def _correlation(entry: dict[str, Any], switches: Switches) -> str:
    correlation = string(entry, "correlationId")
    if (
        switches.long_correlation == "7004"
        and len(correlation.encode(errors="replace")) > LONGEST_CORRELATION
    ):
        raise invalid("correlationId")
    return correlation


def _substitutions(data: dict[str, Any], switches: Switches) -> dict[str, str]:
    """Text by name. A value that is null is not given."""
    values = data.get("substitutions")
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise invalid("substitutions")
    return {name: _value(one, switches) for name, one in values.items() if one is not None}


def _value(value: Any, switches: Switches) -> str:
    if isinstance(value, str):
        return value
    if switches.plain_values == "7004" or isinstance(value, dict | list):
        raise invalid("substitutions")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _digits(number: str, switches: Switches) -> str:
    match = _NUMBER.fullmatch(number)
    if match and (switches.plus == "optional" or number[0] == "+"):
        return match[1]
    late("7102", "Invalid address", switches.bad_address)
    return ""


def _filled(
    text: str, values: dict[str, str] | None, settings: Settings, *, unicode: bool
) -> tuple[str, str]:
    """The text of one destination, and the code it fails with. ``values`` None: nothing to fill in."""
    switches = settings.switches
    filled, fault = text, ""
    if values is not None:
        blank = switches.missing_value == "blank"
        filled, gap = message_text.fill(text, values, switches.placeholder, blank=blank)
        fault = "7121" if gap and switches.missing_value == "7121" else ""
    measured = filled if switches.length_counts == "filled" else text
    if message_text.characters(measured, switches) > settings.text_limit:
        fault = fault or late("7107", "Message length exceeded", switches.long_text)
    if not unicode and switches.text_outside_gsm != "upgrade" and not message_text.fits_gsm(filled):
        if switches.text_outside_gsm == "7004":
            raise invalid("content.text")
        filled = message_text.in_gsm(filled)
    return filled, fault
