"""What the sandbox is told: settings, whole-service faults, and how `--fault NAME=VALUE` is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

TEMPLATES = {"5S2ABCDFNR": ("Hi $(name), order $(order) is on its way.", False)}
FAULTS = (
    *("throttle", "http_500", "timeout", "slow", "malformed", "auth"),
    *("receipt_delay", "receipt_duplicate", "receipt_shuffle", "receipt_drop"),
)
MILLISECONDS = frozenset({"slow", "receipt_delay"})


class Faults(NamedTuple):
    """Whole-service faults: chances from 0 to 1, delays in seconds."""

    throttle: str = ""  # "", "429", "7020" or "1" for either
    http_500: float = 0.0
    timeout: float = 0.0
    slow: float = 0.0
    malformed: float = 0.0
    auth: float = 0.0
    receipt_delay: float = 0.0
    receipt_duplicate: float = 0.0
    receipt_shuffle: float = 0.0
    receipt_drop: float = 0.0


class Settings(NamedTuple):
    """What the command line may change."""

    key: str = ""
    tps: float = 0.0
    faults: Faults = Faults()
    hub_secret: str = ""
    retry_seconds: float = 60.0
    seed: int | None = None
    text_limit: int = 1024
    service_id: str = ""
    service_secret: str = ""
    templates: dict[str, tuple[str, bool]] = TEMPLATES


def faults_of(given: Sequence[str]) -> Faults:
    """Read ``NAME=VALUE`` pairs; raise ``ValueError`` with a sentence on the first that is wrong."""
    values: dict[str, float | str] = {}
    for one in given:
        name, _, value = one.partition("=")
        if name not in FAULTS:
            raise ValueError(f"There is no fault {name!r}; there are {', '.join(FAULTS)}.")
        if name == "throttle":
            shape = {"": "1", "1": "1", "429": "429", "7020": "7020", "400": "7020", "0": ""}.get(value)
            if shape is None:
                raise ValueError("throttle takes 429, 7020, or 1 for either.")
            values[name] = shape
            continue
        try:
            number = float(value or "1") if name == "auth" else float(value)
        except ValueError:
            raise ValueError(f"{name} needs a number, as in {name}=0.1.") from None
        if name in MILLISECONDS:
            number /= 1000
            if not 0 <= number <= 3600:
                raise ValueError(f"{name} takes milliseconds, up to an hour.")
        elif not 0 <= number <= 1:
            raise ValueError(f"{name} takes a number from 0 to 1.")
        values[name] = number
    return Faults(**values)  # type: ignore[arg-type]
