"""Scheme, host and port of an address: what a secret is kept for, so that it goes nowhere else. Pure."""

from urllib.parse import urlsplit

from sms.words import KeptSentence, gettext, gettext_noop

_USUAL = {"https": 443, "http": 80}


# first, since the other reads like it
_TYPED_FOR_NONE = KeptSentence(
    gettext_noop(
        "The stored secret was typed for no address, and the address is %(address)s now. Type it again."
    )
)
_TYPED_FOR_ANOTHER = KeptSentence(
    gettext_noop(
        "The stored secret was typed for %(origin)s, and the address is %(address)s now. Type it again."
    )
)


class SecretElsewhere(ValueError):
    """A secret was about to go to another origin than the one it was typed for. Nothing was sent."""

    def __init__(self, kept_for: str, address: str) -> None:
        said = _TYPED_FOR_ANOTHER if kept_for else _TYPED_FOR_NONE
        super().__init__(gettext(said.text) % {"origin": kept_for, "address": address})


def origin_of(url: str) -> str:
    """Like https://api.example or http://127.0.0.1:8001; the usual port is left out. Empty where it is no address."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    if scheme not in _USUAL or not host:
        return ""
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}" + ("" if port in (None, _USUAL[scheme]) else f":{port}")


def must_match(kept_for: str, url: str) -> None:
    """Raise SecretElsewhere unless a secret that was typed for `kept_for` may go to `url`."""
    if not kept_for or origin_of(url) != kept_for:
        raise SecretElsewhere(kept_for, origin_of(url) or url)
