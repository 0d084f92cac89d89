"""How often a password or a code may be tried, and codes that work once. Called by the adapter and the forms of second factors.

A try takes a place in every counter that concerns it, and gives them back where it was right. A place is an entry of the shared cache that
is over by itself, taken by `add`, so that of two tries at once each takes its own. A device that signed in before (`portal.devices`) has
counters of its own: whoever guesses from elsewhere fills others, and does not lock the right person out.
"""

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from allauth.account.internal.userkit import filter_users_by_email
from allauth.core.internal.cryptokit import normalize_user_code
from django.core.cache import cache
from django.db import Error
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from portal import devices
from portal.models import User

AWAY: tuple[type[Exception], ...] = (Error, OSError)
try:
    from redis.exceptions import RedisError  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    pass
else:
    AWAY = (*AWAY, RedisError)

CODE_KEPT = 300  # seconds in which no code works twice; one of an app is right for 30
TOO_MANY = gettext_lazy(
    "Too many wrong tries. Wait five minutes and try again, on a device where you signed in before if you have one."
)
CANNOT_COUNT = gettext_lazy(
    "Signing in is not possible at the moment, because Textdesk cannot reach its database. Try again in a few minutes."
)


@dataclass(frozen=True, slots=True)
class TryLimit:
    """So many wrong tries within so many seconds."""

    name: str
    most: int
    seconds: int


OF_NETWORK = TryLimit("network", 30, 600)  # whoever is tried: an office behind one address has room for slips
OF_ACCOUNT_THERE = TryLimit("account-there", 5, 300)
OF_ACCOUNT = TryLimit("account", 50, 24 * 3600)  # from however many networks
OF_DEVICE = TryLimit("device", 10, 300)
OF_DEVICE_DAILY = TryLimit("device-daily", 50, 24 * 3600)


class TooManyTries(Exception):
    """Nothing was compared. str() is a sentence."""


class TryCount:
    """Places that a try took."""

    def __init__(self, places: Sequence[str]) -> None:
        self._places = places

    def give_back(self) -> None:
        """It was right."""
        cache.delete_many(self._places)


def count_password(request: HttpRequest, email: str) -> TryCount:
    """Before a password is compared. Raises TooManyTries, and one of AWAY."""
    # by the person, for an address has many spellings that the database takes for one
    people = filter_users_by_email(email, prefer_verified=True, for_login=True) if email else []
    user = people[0] if people else None
    account = str(user.pk) if user else email.strip().lower()
    return _take(_counters("password", account, request, user))


def count_code(request: HttpRequest, user: User) -> TryCount:
    """Before a code of an app, or a recovery code, is compared."""
    return _take(_counters("code", str(user.pk), request, user))


def use_code(user: User, code: str) -> bool:
    """Once; False where the code was used before."""
    return bool(cache.add(_name("used-code", str(user.pk), normalize_user_code(code)), 1, CODE_KEPT))


def network_of(address: str) -> str:
    """Who has one address of them has all: a /24 of IPv4, a /48 of IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:45]
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return str(ipaddress.ip_network(f"{found}/{24 if found.version == 4 else 48}", strict=False))


def _counters(kind: str, account: str, request: HttpRequest, user: User | None) -> list[tuple[TryLimit, str]]:
    device = devices.known(request, user) if user else ""
    if device:
        return [(limit, _name(limit.name, kind, account, device)) for limit in (OF_DEVICE, OF_DEVICE_DAILY)]
    network = network_of(str(request.META.get("REMOTE_ADDR") or ""))
    return [
        (OF_NETWORK, _name(OF_NETWORK.name, network)),
        (OF_ACCOUNT_THERE, _name(OF_ACCOUNT_THERE.name, kind, account, network)),
        (OF_ACCOUNT, _name(OF_ACCOUNT.name, kind, account)),
    ]


def _take(counters: Sequence[tuple[TryLimit, str]]) -> TryCount:
    taken: list[str] = []
    for limit, name in counters:
        places = [f"{name}:{number}" for number in range(limit.most)]
        full = cache.get_many(places)
        place = next((one for one in places if one not in full and cache.add(one, 1, limit.seconds)), "")
        if not place:
            cache.delete_many(taken)
            raise TooManyTries(TOO_MANY)
        taken.append(place)
    return TryCount(taken)


def _name(*parts: str) -> str:
    return f"sign-in:{hashlib.sha256(chr(31).join(parts).encode()).hexdigest()}"
