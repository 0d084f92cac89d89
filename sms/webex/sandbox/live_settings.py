"""Settings that may change while the sandbox runs, as JSON: faults, switches, tps, and outcomes of single numbers."""

import re
from dataclasses import asdict
from typing import Any

from sms.webex.sandbox.outcomes import named
from sms.webex.sandbox.settings import MILLISECONDS, Faults, Settings, faults_of
from sms.webex.sandbox.switches import switches_of

NAMES = ("faults", "switches", "tps", "outcomes")
MOST_NUMBERS = 10_000

_NUMBER = re.compile(r"\+?([1-9][0-9]{6,14})")


def as_json(settings: Settings) -> dict[str, Any]:
    """What :func:`changed` takes, as it stands. Faults are in the units of the command line."""
    faults = settings.faults._asdict()
    return {
        "faults": {name: value * 1000 if name in MILLISECONDS else value for name, value in faults.items()},
        "switches": asdict(settings.switches),
        "tps": settings.tps,
        "outcomes": dict(settings.outcomes),
    }


def changed(settings: Settings, given: object) -> Settings:
    """``settings`` with the changes of ``given``; raise ``ValueError`` with a sentence, having changed nothing.

    ``{"faults": {name: number}, "switches": {name: choice}, "tps": number, "outcomes": {msisdn: name or code}}``, each
    part and each entry as needed; a number's outcome is taken back with ``null``.
    """
    if not isinstance(given, dict):
        raise ValueError(f"The body is a JSON object with some of {', '.join(NAMES)}.")
    for name in given:
        if name not in NAMES:
            raise ValueError(f"There is no setting {name!r}; there are {', '.join(NAMES)}.")
    tps = given.get("tps", settings.tps)
    if isinstance(tps, bool) or not isinstance(tps, int | float) or not 0 <= tps <= 1_000_000:
        raise ValueError("tps is a number of sends a second; 0 is no limit.")
    return settings._replace(
        faults=_faults(settings.faults, _part(given, "faults")),
        switches=switches_of(_pairs(_part(given, "switches")), settings.switches),
        tps=float(tps),
        outcomes=_outcomes(settings.outcomes, _part(given, "outcomes")),
    )


def _part(given: dict[str, Any], name: str) -> dict[str, Any]:
    part = given.get(name, {})
    if not isinstance(part, dict):
        raise ValueError(f"{name} is a JSON object.")
    return part


def _faults(before: Faults, part: dict[str, Any]) -> Faults:
    read = faults_of([f"{pair}0" if pair.endswith("=") else pair for pair in _pairs(part)])
    return before._replace(**{name: getattr(read, name) for name in part})


def _pairs(part: dict[str, Any]) -> list[str]:
    for name, value in part.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError(f"{name} is text or a number.")
    return [f"{name}={value}" for name, value in part.items()]


def _outcomes(before: dict[str, str], part: dict[str, Any]) -> dict[str, str]:
    after = dict(before)
    for number, name in part.items():
        match = _NUMBER.fullmatch(number)
        if match is None:
            raise ValueError(f"{number!r} is no number; write it as +447700900123.")
        if name is None:
            after.pop(match[1], None)
        elif isinstance(name, str):
            after[match[1]] = named(name) and name
        else:
            raise ValueError(f"The outcome of {number} is a name, a code as text, or null.")
    if len(after) > MOST_NUMBERS:
        raise ValueError(f"At most {MOST_NUMBERS} numbers have an outcome of their own.")
    return after
