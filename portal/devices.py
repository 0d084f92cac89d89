"""Devices on which people signed in before, by a signed cookie; and what a browser is called in a list.

The cookie names people and a mark of each one's password: another password ends it. It opens nothing. It only gives its holder tries of
their own (`portal.sign_in_limits`), and saves them the mail about a new device.
"""

import re
import secrets
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, gettext_noop

from portal.models import User

KEPT_FOR = 180 * 24 * 3600  # seconds
MOST = 5  # people of one browser
_SALT = "portal.device"

A_BROWSER = gettext_noop("A browser")
_BROWSERS = (
    *((r"Edg(?:e|A|iOS)?/", "Edge"), (r"OPR/", "Opera"), (r"SamsungBrowser/", "Samsung Internet")),
    *((r"Firefox/|FxiOS/", "Firefox"), (r"Chrome/|CriOS/", "Chrome"), (r"Safari/", "Safari")),
)
_SYSTEMS = (
    *((r"Windows", "Windows"), (r"Android", "Android"), (r"iPhone", "iPhone"), (r"iPad", "iPad")),
    *((r"Mac OS X|Macintosh", "Mac"), (r"CrOS", "ChromeOS"), (r"Linux", "Linux")),
)


def cookie_name() -> str:
    return "__Host-device" if settings.HTTPS else "device"


def known(request: HttpRequest, user: User) -> str:
    """The name of the device, if this person signed in on it with the password of today; otherwise empty."""
    name, mark = _read(request).get(str(user.pk), ("", ""))
    return name if any(secrets.compare_digest(mark, one) for one in _marks(user)) else ""


def remember(request: HttpRequest, response: HttpResponse, user: User) -> None:
    people = _read(request)
    name = people.pop(str(user.pk), ("", ""))[0] or secrets.token_urlsafe(12)
    newest = {str(user.pk): [name, _marks(user)[0]]} | dict(list(people.items())[: MOST - 1])
    response.set_cookie(
        cookie_name(),
        signing.dumps(newest, salt=_SALT),
        max_age=KEPT_FOR,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def words(user_agent: str) -> str:
    """`Firefox on Linux`, as it is stored; what a browser says of itself, so it may be made up."""
    browser = next((name for pattern, name in _BROWSERS if re.search(pattern, user_agent)), A_BROWSER)
    system = next((name for pattern, name in _SYSTEMS if re.search(pattern, user_agent)), "")
    return f"{browser} on {system}" if system else browser


def in_words(device: str) -> str:
    """What `words` said, in the reader's language."""
    browser, on, system = device.partition(" on ")
    browser = gettext(browser) if browser == A_BROWSER else browser
    if not on:
        return browser
    # Translators: “Firefox on Linux”.
    return gettext("%(browser)s on %(system)s") % {"browser": browser, "system": system}


def _marks(user: User) -> list[str]:
    """Of today's SECRET_KEY, then of those before it."""
    return [one[:32] for one in (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())]


def _read(request: HttpRequest) -> dict[str, Any]:
    try:
        found = signing.loads(request.COOKIES.get(cookie_name(), ""), salt=_SALT, max_age=KEPT_FOR)
    except signing.BadSignature:
        return {}
    return found if isinstance(found, dict) else {}
