"""The host name of a short-link domain, judged before anything is looked up."""

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import urlsplit

import idna
from django.utils.translation import gettext as _

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
        raise _bad(_("That is no host name.")) from None
    _refuse_other_kinds(host)
    if not host.isascii():
        raise BadName(_in_ascii(host))
    labels = host.split(".")
    if len(host) > 253 or any(len(label) > 63 for label in labels):
        raise BadName(_("It is too long: a name has 253 characters at most, and 63 between two dots."))
    if len(labels) < 2 or labels[-1].isdigit() or not all(_LABEL.match(label) for label in labels):
        raise _bad(_("“%(host)s” is no host name.") % {"host": host})
    if host in {name.lower() for name in own}:
        raise BadName(_("That is Textdesk's own address. Short links need a name of their own."))
    if host in {name.lower().rstrip(".") for name in targets}:
        says = _(
            "%(host)s is what the DNS record points to. Write the name that people will see in the link."
        )
        raise BadName(says % {"host": host})
    if host not in SHARED and _within(host, PROVIDER):
        raise _bad(_("%(host)s belongs to the provider.") % {"host": host})
    if _within(host, SHORTENERS):
        says = _("%(host)s belongs to a public link shortener, which many networks block.")
        raise _bad(says % {"host": host})
    return host


def _refuse_other_kinds(host: str) -> None:
    if not host:
        raise _bad(_("There is no host name in it."))
    if "*" in host:
        raise _bad(_("A wildcard is not possible."))
    if "_" in host:
        raise BadName(_("The host name of a link has no underscore. Use a hyphen instead."))
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    raise _bad(_("That is an IP address."))


def _in_ascii(host: str) -> str:
    try:
        coded = idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return _("Use only the letters a to z, digits, hyphens and dots.")
    says = _(
        "Write it in its ASCII form: %(coded)s. Letters beyond a to z look like others, and phones show them as code anyway."
    )
    return says % {"coded": coded}


def _bad(says: str) -> BadName:
    instead = _("Write one full name of your own, like go.example.com.")
    return BadName(f"{says} {instead}")


def _within(host: str, zones: Collection[str]) -> bool:
    return any(host == zone or host.endswith(f".{zone}") for zone in zones)
