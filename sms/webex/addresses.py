"""The forms of numbers, senders and URLs that the wire takes, as patterns with the rule beside each. Used by `rules`.

Whether a number can exist is not decided here (that needs number plans); only whether the wire takes its form.
"""

import functools
import re

# E.164: at most 15 digits with the country code, which never begins with 0. The provider takes it with or without `+` …
MSISDN = re.compile(r"\+?[1-9][0-9]{6,14}")
# … unless the tenant has +E.164, which holds for `to` and never for `from` (seed, "msisdn").
PLUS_MSISDN = re.compile(r"\+[1-9][0-9]{6,14}")

# Long or short code as digits without `+`, or a name of letters, digits and inner spaces: 11, the room GSM has for it.
SENDER = re.compile(r"[0-9]{3,15}|(?=.*[A-Za-z])[A-Za-z0-9](?:[A-Za-z0-9 ]{0,9}[A-Za-z0-9])?")

_HOST = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PORT = r"(?::[0-9]{1,5})?"
_PATH = r"(?:[/?][!-~]*)?"  # visible ASCII; anything else must be percent-encoded
_HERE = r"http://(?:127\.0\.0\.1|\[::1\]|localhost)" + _PORT  # the sandbox on this machine has no certificate
_PLAIN = r"http://[a-z0-9.-]+" + _PORT
_SECURE = rf"https://(?:{_HOST}|[0-9.]+|localhost)" + _PORT

_ORIGIN = re.compile(rf"(?:{_SECURE}|{_HERE})/?", re.IGNORECASE)
_ORIGIN_OR_PLAIN = re.compile(rf"(?:{_SECURE}|{_HERE}|{_PLAIN})/?", re.IGNORECASE)
_URL = re.compile(rf"(?:{_SECURE}|{_HERE}){_PATH}", re.IGNORECASE)
_URL_OR_PLAIN = re.compile(rf"(?:{_SECURE}|{_HERE}|{_PLAIN}){_PATH}", re.IGNORECASE)


def msisdn_rule(*, plus: bool) -> str:
    if plus:
        return "must be + and country code and number, 7 to 15 digits: +E.164 is on for this service"
    return "must be country code and number, 7 to 15 digits, with or without +"


def sender_rule(sender: str) -> str:
    if not sender:
        return "is mandatory"
    if sender.startswith("+"):
        return "takes a long code as country code and number without +"
    return "must be a long or short code in digits, or a name of 1 to 11 letters, digits and spaces with a letter in it"


@functools.lru_cache(maxsize=256)  # a send has one, and its messages are many
def is_origin(text: str, *, plain: bool) -> bool:
    """Whether it is scheme and host alone, https unless it is this machine or `plain`."""
    return (_ORIGIN_OR_PLAIN if plain else _ORIGIN).fullmatch(text) is not None


@functools.lru_cache(maxsize=256)
def is_url(text: str, *, plain: bool) -> bool:
    """Whether it is a whole URL, https unless it is this machine or `plain`."""
    return (_URL_OR_PLAIN if plain else _URL).fullmatch(text) is not None
