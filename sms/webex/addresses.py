"""The forms of numbers, senders and URLs that the wire takes, as patterns with the rule beside each. Used by `rules`.

Whether a number can exist is not decided here (that needs number plans); only whether the wire takes its form.
"""

import functools
import re

from sms.words import KeptSentence, gettext, gettext_noop, number

# E.164: at most 15 digits with the country code, which never begins with 0. The provider takes it with or without `+` …
_E164 = r"[1-9][0-9]{6,14}"
MSISDN = re.compile(rf"\+?{_E164}")
# … unless the tenant has +E.164, which holds for `to` and never for `from` (seed, "msisdn").
PLUS_MSISDN = re.compile(rf"\+{_E164}")

# A long or short code: digits without `+`.
_CODE = re.compile(r"[0-9]{3,15}")
_PLUS_CODE = re.compile(rf"\+{_CODE.pattern}")
# A name has the room that GSM has for it: 11 septets of its default alphabet, of which the second line takes two each. Which of
# them a network takes is the provider's to say (7101).
_OF_NAMES = frozenset(
    "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
    "^{}\\[~]|€"
)
_WIDE = frozenset("^{}\\[~]|€")
LONGEST_NAME = 11
_SENDER = KeptSentence(
    gettext_noop("must be a long or short code in digits, or a name of 1 to %(most)s GSM-7 characters")
)
# what every network takes
_PLAIN_NAME = re.compile(r"[A-Za-z0-9 ]{3,11}")

_HOST = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PORT = r"(?::[0-9]{1,5})?"
_PATH = r"(?:[/?][!-~]*)?"  # visible ASCII; anything else must be percent-encoded
_HERE = r"http://(?:127\.0\.0\.1|\[::1\]|localhost)" + _PORT  # the sandbox on this machine has no certificate
_SECURE = rf"https://(?:{_HOST}|[0-9.]+|localhost)" + _PORT

_ORIGIN = re.compile(rf"(?:{_SECURE}|{_HERE})/?", re.IGNORECASE)
_URL = re.compile(rf"(?:{_SECURE}|{_HERE}){_PATH}", re.IGNORECASE)


def msisdn_rule(*, plus: bool) -> str:
    if plus:
        return gettext_noop(
            "must be + and country code and number, 7 to 15 digits: +E.164 is on for this service"
        )
    return gettext_noop("must be country code and number, 7 to 15 digits, with or without +")


def bare_sender(written: str) -> str:
    """As the wire wants it: without the `+` that people write before a number, and that the seed's sample recommends."""
    written = written.strip()
    return written[1:] if _PLUS_CODE.fullmatch(written) else written


@functools.lru_cache(maxsize=256)  # a send has one, and its messages are many
def is_sender(text: str) -> bool:
    return _CODE.fullmatch(text) is not None or not name_problem(text)


def name_problem(text: str) -> str:
    """What is wrong with an alphanumeric sender, as a sentence; empty for nothing."""
    if strange := next((char for char in text if char not in _OF_NAMES), ""):
        if strange.isprintable():
            says = gettext(
                "“%(character)s” is not in the alphabet of SMS (GSM-7). Leave it out, or write another character."
            )
            return says % {"character": strange}
        says = gettext(
            "%(code)s is not in the alphabet of SMS (GSM-7). Leave it out, or write another character."
        )
        return says % {"code": f"U+{ord(strange):04X}"}
    if not 1 <= len(text) + sum(char in _WIDE for char in text) <= LONGEST_NAME:
        says = gettext(
            "An alphanumeric sender has 1 to %(most)s characters. Each of ^ { } \\ [ ~ ] | € counts as two."
        )
        return says % {"most": number(LONGEST_NAME)}
    if text != text.strip():
        return gettext("It begins or ends with a space. Leave that out.")
    if text.removeprefix("+").isdigit():
        return gettext("This is a number. Choose long code or short code.")
    return ""


def is_plain_name(text: str) -> bool:
    """Whether it has only letters, digits and spaces, 3 to 11 of them, as is advised (reference §11)."""
    return _PLAIN_NAME.fullmatch(text) is not None


def sender_rule(sender: str) -> str:
    if not sender:
        return gettext_noop("is mandatory")
    if _PLUS_CODE.fullmatch(sender):
        return gettext_noop("takes a long code as country code and number without +")
    return _SENDER(most=LONGEST_NAME)


@functools.lru_cache(maxsize=256)  # a send has one, and its messages are many
def is_origin(text: str) -> bool:
    """Whether it is scheme and host alone, https unless it is this machine."""
    return _ORIGIN.fullmatch(text) is not None


@functools.lru_cache(maxsize=256)
def is_url(text: str) -> bool:
    """Whether it is a whole URL, https unless it is this machine."""
    return _URL.fullmatch(text) is not None
