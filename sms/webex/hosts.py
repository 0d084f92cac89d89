"""The provider's older hosts, and the addresses that its own requests come from. Read by the connection form and the going-live page."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_TABLE = tomllib.loads(Path(__file__).with_name("hosts.toml").read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class LegacyHost:
    """An API host of before, which still answers. `region` is the key of the region that is the same place, empty where unknown."""

    name: str
    tenant: str
    host: str
    region: str = ""


LEGACY = tuple(LegacyHost(**row) for row in _TABLE["legacy"])
_LEGACY = {one.host: one for one in LEGACY}
_OWN = ".webexconnect.io"
EGRESS: dict[str, tuple[str, ...]] = {key: tuple(found) for key, found in _TABLE["egress"].items()}


def api_hosts_for(url: str) -> tuple[str, ...]:
    """The API hosts of a tenant whose sign-in address this is, as people copy it from the browser; empty for any other address."""
    host = urlsplit(url).hostname or ""
    if host in _LEGACY or host.startswith("api."):
        return ()
    domain = host if host.count(".") == 1 else host.partition(".")[2]
    if found := tuple(one.host for one in LEGACY if one.tenant == domain):
        return found
    region = region_of(url)
    named = host in (f"{region}{_OWN}", f"{host.partition('.')[0]}.{region}{_OWN}")
    return (f"api.{region}{_OWN}",) if region in EGRESS and named else ()


def is_documented(url: str) -> bool:
    """Whether an address is on a host of the provider's own names."""
    host = urlsplit(url).hostname or ""
    return host.endswith(_OWN) or host in _LEGACY


def region_of(url: str) -> str:
    """The key of the region that an address belongs to, as far as the documents say; empty otherwise."""
    host = urlsplit(url).hostname or ""
    if host in _LEGACY:
        return _LEGACY[host].region
    return host.removesuffix(_OWN).rpartition(".")[2] if host.endswith(_OWN) else ""
