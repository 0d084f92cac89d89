"""The address that this machine calls out from, as far as it can be known without asking anyone."""

import socket
from dataclasses import dataclass

from sms.models import Heartbeat
from sms.values.public_address import refusal

ELSEWHERE = ("192.0.2.1", 443)  # reserved for documents; nothing is sent there


@dataclass(frozen=True, slots=True)
class ThisHost:
    """`address` is empty where there is no way out; `public` is whether others see that very address."""

    address: str
    public: bool
    dispatchers: tuple[str, ...]  # hosts that send, by name


def this_host() -> ThisHost:
    """Which of its addresses the system would use. Connecting a UDP socket chooses one and sends nothing."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as chosen:
            chosen.connect(ELSEWHERE)
            address = str(chosen.getsockname()[0])
    except OSError:
        address = ""
    hosts = sorted(set(Heartbeat.objects.values_list("host", flat=True)))
    return ThisHost(address, bool(address) and not refusal(address), tuple(hosts))
