"""How a switch is proved: what a probe sees of a sandbox at each of the switch's settings."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tests.sandbox.running import Running


class Proof(NamedTuple):
    """`probe` is run against a fresh sandbox for every choice and must see what `seen` says for it. `options` start the sandbox."""

    probe: Callable[[Running], Any]
    seen: dict[str, Any]
    options: Mapping[str, Any] = MappingProxyType({})
