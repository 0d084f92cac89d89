"""Which addresses a callback may go to, by how they are written. Pure; where the name leads is checked by `resolve`, at every connection.

Strict on purpose: what two programs could read in two ways (odd encodings, numbers as hosts, user names) is refused rather than read.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sms.webex.limits import LONGEST_URL
from sms.words import KeptSentence, retold

PORTS = (443, 8443)
_HOST = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII
)
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<target>(?:/[^?#]*)?(?:\?[^#]*)?)(?P<fragment>#.*)?",
    re.ASCII,
)
_TARGET = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?\[\]|]|%[0-9A-Fa-f]{2})*", re.ASCII)
# Names that never lead to the public internet, whatever a resolver answers.
_HOME = "localhost localdomain local internal intranet lan home corp private home.arpa arpa".split()
_NOWHERE = ("invalid", "onion", "alt", "test")
_LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}
# a callback that cannot be posted keeps why: those with facts have to be recognised
TOO_LONG = KeptSentence(gettext_noop("It has %(n)s characters; %(most)s are allowed."))
OTHER_PORT = KeptSentence(gettext_noop("Its port is %(port)s; use %(one)s or %(other)s."))
NO_PORT = KeptSentence(gettext_noop("Its port is %(port)s; there is none above 65535."))
NO_HOST = KeptSentence(gettext_noop("It has no host after %(scheme)s://."))
NOT_PUBLIC = KeptSentence(gettext_noop("The name %(host)s is not one of the public internet."))
NO_DOT = KeptSentence(gettext_noop("The name %(host)s has no dot, so it is not one of the public internet."))


class BadAddress(ValueError):
    """Why an address cannot be used, as a sentence for people."""


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """What the installation allows. `loopback` lets http and this machine in, for demos and tests; `own_hosts` are our own names."""

    loopback: bool = False
    own_hosts: frozenset[str] = frozenset()


class AllowedAddresses:
    """What this installation allows for the addresses of sends; `sms.apps` fills it in."""

    policy: Callable[[], AddressPolicy] = AddressPolicy


allowed_addresses = AllowedAddresses()


def address_problem(url: str) -> str:
    """Why receipts cannot be passed on to an address; empty where they can."""
    try:
        read(url, allowed_addresses.policy())
    except BadAddress as problem:
        return str(problem)
    return ""


@dataclass(frozen=True, slots=True)
class Address:
    """A vetted address: `origin` is scheme, host and port, `target` what stands in the request line."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> str:
        """Like https://partner.example or https://partner.example:8443."""
        usual = self.port == (443 if self.scheme == "https" else 80)
        return f"{self.scheme}://{self.host}{'' if usual else f':{self.port}'}"


def read(url: str, policy: AddressPolicy) -> Address:
    """Take an address apart. Raises `BadAddress`."""
    if not url.isascii():
        raise BadAddress(
            _(
                "It holds characters outside ASCII. Write a host like bücher.example in its xn-- form, and encode the path."
            )
        )
    if len(url) > LONGEST_URL:
        raise BadAddress(retold(TOO_LONG(n=f"{len(url):,}", most=f"{LONGEST_URL:,}")))
    if url != url.strip() or re.search(r"[\s\x00-\x1f\x7f\\]", url):
        raise BadAddress(_("It holds a space, a backslash or a control character."))
    found = _URL.fullmatch(url)
    if found is None:
        raise BadAddress(_("It is not an address like https://partner.example/path."))
    scheme, authority = found["scheme"].lower(), found["authority"].lower()
    if found["fragment"] is not None:
        raise BadAddress(_("It has a part after #, which is never sent. Leave that out."))
    if "@" in authority:
        raise BadAddress(_("It holds a user name or password. Leave that out; every callback is signed."))
    if not _TARGET.fullmatch(found["target"]):
        raise BadAddress(_("Its path holds a character that must be written as %XX."))
    target = found["target"] or "/"
    target = target if target.startswith("/") else f"/{target}"
    host, port = _place(authority, scheme)
    if policy.loopback and host in _LOOPBACK and scheme in ("http", "https"):
        return Address(scheme, host, port or (443 if scheme == "https" else 80), target)
    if scheme != "https":
        raise BadAddress(_("It must begin with https://."))
    _check_name(host, policy)
    if port not in (None, *PORTS):
        raise BadAddress(retold(OTHER_PORT(port=port, one=PORTS[0], other=PORTS[1])))
    return Address(scheme, host, port or 443, target)


def _place(authority: str, scheme: str) -> tuple[str, int | None]:
    host, colon, port = (
        authority.rpartition(":") if re.search(r":[^\]]*\Z", authority) else (authority, "", "")
    )
    if colon and not re.fullmatch(r"[1-9][0-9]{0,4}", port):
        raise BadAddress(_("Its port is not a number."))
    if colon and int(port) > 65535:
        raise BadAddress(retold(NO_PORT(port=port)))
    if not host:
        raise BadAddress(retold(NO_HOST(scheme=scheme)))
    return host, int(port) if colon else None


def _check_name(host: str, policy: AddressPolicy) -> None:
    if host.startswith("[") or (not re.search(r"[g-z]", host.rpartition(".")[2]) and _numeric(host)):
        raise BadAddress(_("Its host is a number. Use a name: its certificate shows who answers."))
    if host.endswith("."):
        raise BadAddress(_("Its host ends with a dot. Leave that out."))
    ends = tuple(f".{name}" for name in (*_HOME, *_NOWHERE))
    if host in (*_HOME, *_NOWHERE) or host.endswith(ends):
        raise BadAddress(retold(NOT_PUBLIC(host=host)))
    if "." not in host:
        raise BadAddress(retold(NO_DOT(host=host)))
    if not _HOST.fullmatch(host):
        raise BadAddress(_("Its host is no valid name."))
    if host in policy.own_hosts:
        raise BadAddress(_("That is Textdesk itself."))


def _numeric(host: str) -> bool:
    """Anything that some resolver takes for an IPv4 address: 127.1, 0x7f.1, 017700000001, 2130706433."""
    last = host.rstrip(".").rpartition(".")[2]
    return bool(re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last))
