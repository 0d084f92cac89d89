"""Where passkeys work: at the desk's own address (PUBLIC_URL), which a browser takes for one where it is https or this very machine."""

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings


def origin() -> str:
    parts = urlsplit(settings.PUBLIC_URL)
    return f"{parts.scheme}://{parts.netloc}".lower()


def host() -> str:
    return urlsplit(settings.PUBLIC_URL).hostname or ""


def are_possible() -> bool:
    """No browser makes a passkey for a bare IP address, or without https."""
    name = host()
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return origin().startswith("https://") or name == "localhost" or name.endswith(".localhost")
    return False
