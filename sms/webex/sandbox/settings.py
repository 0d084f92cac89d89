"""What the sandbox can be set to, how faults and authorizations are read, and what its parts share."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from random import Random
from typing import NamedTuple

from sms.webex.sandbox.switches import Switches

Network = IPv4Network | IPv6Network

TEMPLATES = {
    "5S2ABCDFNR": ("Hi $(name), order $(order) is on its way.", False),
    "5S2XXXXFNR": ("Hi $(sms_parameter1), your code is $(sms_parameter2).", False),
}
"""Text, and whether it is Unicode, by id. The second is the seed's sample, whose text the seed does not show."""

DOMAINS = frozenset(
    [f"{region}.wbxc.io" for region in ("ca", "eu", "uk", "in", "us", "sg", "au")]
    + ["s.imiconnect.co", "s-us.imiconnect.io", "s.imiconnect.eu", "go.demo.test"]
)
"""The provider's own short-link domains and the demo's."""

SMARTLINKS = {"4371": "https://shop.example/app", "5120": "https://shop.example/store"}
"""Smartlinks by id, with the address they lead to."""

NO_AUTHS: dict[str, tuple[str, str]] = {}
NO_OUTCOMES: dict[str, str] = {}
MILLISECONDS = frozenset({"slow", "receipt_delay"})
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[ -~]+")


class Faults(NamedTuple):
    """Whole-service faults: chances from 0 to 1, delays in seconds."""

    throttle: str = ""  # "", "429", "7020" or "1" for either
    http_500: float = 0.0
    timeout: float = 0.0
    slow: float = 0.0
    malformed: float = 0.0
    auth: float = 0.0
    shortener: float = 0.0
    receipt_delay: float = 0.0
    receipt_duplicate: float = 0.0
    receipt_shuffle: float = 0.0
    receipt_drop: float = 0.0


FAULTS = Faults._fields


class Settings(NamedTuple):
    key: str = ""
    tps: float = 0.0
    faults: Faults = Faults()
    hub_secret: str = ""
    webhook_url: str = ""  # of the service, for receipts
    retry_seconds: float = 60.0
    attempt_seconds: float = 10.0
    auths: dict[str, tuple[str, str]] = NO_AUTHS  # notifyUrlAuthId to a header
    inbound_url: str = ""
    outcomes: dict[str, str] = NO_OUTCOMES  # digits to the name of an outcome, or a code
    seed: int | None = None
    text_limit: int = 1024
    service_id: str = ""
    service_secret: str = ""
    templates: dict[str, tuple[str, bool]] = TEMPLATES
    switches: Switches = Switches()
    senders: frozenset[str] = frozenset()  # empty: every sender of a possible form
    domains: frozenset[str] = DOMAINS
    smartlinks: dict[str, str] = SMARTLINKS
    allowed: tuple[Network, ...] = ()  # callers; empty: all
    quota: int = 0  # destinations in all; 0: no end
    profile_key: str = ""
    log_limit: int = 2_000_000


@dataclass(slots=True)
class Tenant:
    """What all parts of one sandbox share. ``settings`` may change at any moment, ``clock`` gives epoch seconds."""

    settings: Settings
    clock: Callable[[], float]
    random: Random

    @property
    def switches(self) -> Switches:
        return self.settings.switches

    def chance(self, probability: float) -> bool:
        return probability > 0 and self.random.random() < probability


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


def auths_of(given: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Read ``ID=HEADER: VALUE``; raise ``ValueError`` with a sentence on the first that is wrong."""
    found = {}
    for one in given:
        name, _, line = one.partition("=")
        header, colon, value = line.partition(":")
        if not (name and colon and _HEADER.fullmatch(header) and _VALUE.fullmatch(value.strip())):
            raise ValueError(
                f"--auth takes ID=HEADER: VALUE, as in TN12345678=Authorization: Basic dTpw, not {one!r}."
            )
        found[name] = (header, value.strip())
    return found
