"""Who answers at a short-link domain: the certificate, whether anything is said over https, and where plain http leads.

Connections go to addresses that were judged before, never to a name, so that no name is resolved a second time.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cryptography import x509
from cryptography.x509.oid import NameOID

Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Open = Callable[[str, int, ssl.SSLContext | None, str], Awaitable[Wire]]
Fault = Literal["", "untrusted", "other_name", "expired"]
HEAD = 8192  # bytes of a reply's head that are read
EXPIRED, OTHER_NAME = 10, 62  # OpenSSL's verify codes


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was shown. `fault` is why a browser would warn, empty where it would not."""

    names: tuple[str, ...]
    issuer: str
    expires_at: datetime
    fault: Fault = ""


@dataclass(frozen=True, slots=True)
class Site:
    """`trouble` is why there is no certificate. `status` is of `https://host/`; `secured` whether plain http leads to https."""

    certificate: Certificate | None = None
    trouble: Literal["", "no_answer", "no_tls", "timeout"] = ""
    status: int | None = None
    secured: bool | None = None


async def open_wire(address: str, port: int, context: ssl.SSLContext | None, host: str) -> Wire:
    """A connection to an address; with a context the certificate is asked for under `host`."""
    name = host if context else None
    return await asyncio.open_connection(address, port, ssl=context, server_hostname=name, limit=HEAD)


async def visit(host: str, address: str, *, opened: Open, trust: ssl.SSLContext) -> Site:
    """Look at https, then at http. Never raises for what the other side does; the caller bounds the time."""
    try:
        wire, fault = await _secure(host, address, 443, opened, trust)
    except ssl.SSLError:
        return Site(trouble="no_tls")
    except OSError:
        return Site(trouble="no_answer")
    try:
        shown = wire[1].get_extra_info("ssl_object").getpeercert(binary_form=True)
        certificate = _read(shown, fault)
        status, _ = await _ask(wire, host)
    finally:
        # not close: that would wait for the other side's goodbye, beyond the end of the loop
        wire[1].transport.abort()
    if certificate is None:
        return Site(trouble="no_tls")
    secured = None if fault else await _leads_to_https(host, address, opened)
    return Site(certificate, status=status, secured=secured)


async def certificate_of(
    host: str, address: str, port: int, *, opened: Open, trust: ssl.SSLContext
) -> Certificate | None:
    """The certificate alone. Raises OSError where there is no TLS; the caller bounds the time."""
    wire, fault = await _secure(host, address, port, opened, trust)
    try:
        return _read(wire[1].get_extra_info("ssl_object").getpeercert(binary_form=True), fault)
    finally:
        wire[1].transport.abort()


async def _secure(
    host: str, address: str, port: int, opened: Open, trust: ssl.SSLContext
) -> tuple[Wire, Fault]:
    try:
        return await opened(address, port, trust, host), ""
    except ssl.SSLCertVerificationError as problem:
        faults: dict[int, Fault] = {EXPIRED: "expired", OTHER_NAME: "other_name"}
        fault = faults.get(problem.verify_code, "untrusted")
    blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE  # only to read what was refused
    return await opened(address, port, blind, host), fault


def _read(shown: bytes | None, fault: Fault) -> Certificate | None:
    if not shown:
        return None
    try:
        read = x509.load_der_x509_certificate(shown)
        issuer = read.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME) or list(read.issuer)
        expires_at = read.not_valid_after_utc
    except ValueError:
        return None
    try:
        names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        listed = tuple(names.get_values_for_type(x509.DNSName))
    except (x509.ExtensionNotFound, ValueError):
        listed = ()
    return Certificate(listed, str(issuer[0].value) if issuer else "", expires_at, fault)


async def _leads_to_https(host: str, address: str, opened: Open) -> bool:
    try:
        wire = await opened(address, 80, None, host)
    except OSError:
        return False
    try:
        status, location = await _ask(wire, host)
    finally:
        wire[1].transport.abort()
    return status is not None and 300 <= status < 400 and location.lower().startswith("https://")


async def _ask(wire: Wire, host: str) -> tuple[int | None, str]:
    """Status and Location of `GET /`; (None, "") where no reply can be read."""
    reader, writer = wire
    try:
        head = f"GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Textdesk\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return None, ""
    first, *fields = head.split("\r\n")
    words = first.split(" ")
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdecimal():
        return None, ""
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in fields)}
    return int(words[1]), headers.get("location", "")
