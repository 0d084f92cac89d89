"""Checkpoints at a second place: a syslog or a mailbox, out of reach of whoever has this host and its database.

A place is an address: `syslog://host:514` (UDP), `syslog+tcp://host:514`, or `mailto:audit@example.org`.
"""

import socket
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

import structlog
from django.core.mail import EmailMessage

from sms.compliance.audit.checkpoint import Checkpoint
from sms.compliance.audit.checkpoint_files import line_of

log = structlog.get_logger(__name__)

SCHEMES = {"syslog": socket.SOCK_DGRAM, "syslog+tcp": socket.SOCK_STREAM}
PORT = 514
PRIORITY = 4 * 8 + 6  # facility auth, severity informational
TIMEOUT = 5.0  # seconds


def parse_place(text: str) -> str:
    """The place as it was written. Raises ValueError where it is none."""
    parts = urlsplit(text)
    if parts.scheme == "mailto" and "@" in parts.path:
        return text
    if parts.scheme in SCHEMES and parts.hostname and (parts.port is None or parts.port > 0):
        return text
    raise ValueError(text)


def send(checkpoints: Sequence[Checkpoint], places: Sequence[str]) -> None:
    """To each place. One that cannot be reached is logged; the checkpoints of the next hour say what these would have said."""
    lines = [line_of(one) for one in checkpoints]
    for place in places if lines else ():
        try:
            _send(lines, place)
        except OSError as problem:
            log.error("audit_checkpoint_not_sent", place=urlsplit(place).scheme, error=repr(problem)[:300])


def _send(lines: Sequence[str], place: str) -> None:
    parts = urlsplit(place)
    if parts.scheme == "mailto":
        body = "\n".join((*lines, ""))
        EmailMessage(subject="Textdesk: checkpoints of the audit", body=body, to=[unquote(parts.path)]).send()
        return
    address, stream = (parts.hostname or "", parts.port or PORT), SCHEMES[parts.scheme] == socket.SOCK_STREAM
    said = [f"<{PRIORITY}>textdesk: {line}".encode() for line in lines]
    if stream:  # each ends with its line (RFC 6587)
        with socket.create_connection(address, timeout=TIMEOUT) as connection:
            connection.sendall(b"".join(one + b"\n" for one in said))
        return
    family, *_, target = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as connection:
        for one in said:
            connection.sendto(one, target)
