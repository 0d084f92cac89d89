"""The host name of a short-link domain, judged before anything is looked up."""

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import urlsplit

import idna

from sms.models import Region
from sms.models.link import SHARED

PROVIDER = (
    *("wbxc.io", "webexconnect.io", "webex.com", "amazonaws.com", "imiconnect.co", "imiconnect.com"),
    *("imiconnect.io", "imiconnect.eu", "imiconnect.ca", "imiconnect.us", "imiconnect.in"),
)
SHORTENERS = (
    *("bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "cutt.ly", "rebrand.ly", "buff.ly"),
    *("lnkd.in", "t.ly", "rb.gy", "s.id", "shorturl.at", "tiny.cc", "v.gd"),
)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_LIKE = "Write one full name of your own, like go.example.com."


class BadName(ValueError):
    """It cannot be a short-link domain; the text is the sentence for the form."""


def usable(text: str, *, own: str) -> str:
    """`host_name` beside the regions that there are; `own` is our own host."""
    targets = [region.dns_target for region in Region.objects.all()]
    return host_name(text, own=[own], targets=targets)


def host_name(text: str, *, own: Collection[str] = (), targets: Collection[str] = ()) -> str:
    """The host in what was typed, lower case; a pasted address gives its host.

    `own` are our own names, `targets` what the regions' records point to. Raises `BadName`.
    """
    given = text.strip()
    try:
        parts = urlsplit(given if "://" in given else f"//{given}")
        host = (parts.hostname or "").rstrip(".").lower()
    except ValueError:
        raise BadName(f"That is no host name. {_LIKE}") from None
    _refuse_other_kinds(host)
    if not host.isascii():
        raise BadName(_in_ascii(host))
    labels = host.split(".")
    if len(host) > 253 or any(len(label) > 63 for label in labels):
        raise BadName("It is too long: a name has 253 characters at most, and 63 between two dots.")
    if len(labels) < 2 or labels[-1].isdigit() or not all(_LABEL.match(label) for label in labels):
        raise BadName(f"“{host}” is no host name. {_LIKE}")
    if host in {name.lower() for name in own}:
        raise BadName("That is Textdesk's own address. Short links need a name of their own.")
    if host in {name.lower().rstrip(".") for name in targets}:
        says = f"{host} is what the DNS record points to. Write the name that people will see in the link."
        raise BadName(says)
    if host not in SHARED and _within(host, PROVIDER):
        raise BadName(f"{host} belongs to the provider. {_LIKE}")
    if _within(host, SHORTENERS):
        raise BadName(f"{host} belongs to a public link shortener, which many networks block. {_LIKE}")
    return host


def _refuse_other_kinds(host: str) -> None:
    if not host:
        raise BadName(f"There is no host name in it. {_LIKE}")
    if "*" in host:
        raise BadName(f"A wildcard is not possible. {_LIKE}")
    if "_" in host:
        raise BadName("The host name of a link has no underscore. Use a hyphen instead.")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    raise BadName(f"That is an IP address. {_LIKE}")


def _in_ascii(host: str) -> str:
    try:
        coded = idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return "Use only the letters a to z, digits, hyphens and dots."
    return f"Write it in its ASCII form: {coded}. Letters beyond a to z look like others, and phones show them as code anyway."


def _within(host: str, zones: Collection[str]) -> bool:
    return any(host == zone or host.endswith(f".{zone}") for zone in zones)
