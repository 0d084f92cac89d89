"""Which parts of addresses open something by themselves (receipts, incoming messages, an invitation, a new password), for `portal.logs`.

Read from the URL configuration: a part that is no number and is not in OPEN is taken for a secret, so a new route cannot be forgotten. The
parts in OPEN name things that are asked for with a sign-in or a key, or that anybody may read.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.urls import URLResolver, get_resolver

OPEN = {
    *("service", "message_id", "step", "object_id", "app_label", "content_type_id", "url", "pk", "id"),
    *("problem_code", "page", "wheel", "person_key", "language"),
}
NEVER = re.compile(r"(?!)()")  # until the addresses are known
_PART = re.compile(r"<(?:(\w+):)?(\w+)>|\(\?P<(\w+)>")
_SLASH = "(?:/|%2F)"  # the second one within another address, as in ?next=
_SEGMENT = rf"(?:(?!{_SLASH})[^\s?#&\"'])"
_SHORTEST = 12  # characters of a secret; what is shorter is a word


def before_secrets() -> re.Pattern[str]:
    """Finds the secret part of an address in a text; the first group is what stands before it."""
    try:
        return _compiled() if apps.ready else NEVER
    except (
        ImportError,
        AttributeError,
        ImproperlyConfigured,
    ):  # a line that is written while the addresses are read
        return NEVER


def opens_something(path: str) -> bool:
    """Whether a route, as Django writes it, has a part that is a key."""
    return _secret(path) is not None


@cache
def _compiled() -> re.Pattern[str]:
    found = sorted({_prefix(path) for path in _paths(get_resolver()) if opens_something(path)})
    if not found:
        return NEVER
    return re.compile(rf"({_SLASH}(?:{'|'.join(found)})){_SEGMENT}{{{_SHORTEST},}}", re.IGNORECASE)


def _paths(node: Any, before: str = "") -> Iterator[str]:
    for entry in node.url_patterns:
        path = before + str(entry.pattern).removeprefix("^")
        if isinstance(entry, URLResolver):
            yield from _paths(entry, path)
        else:
            yield path


def _secret(path: str) -> re.Match[str] | None:
    """The first part that opens something."""
    return next((one for one in _PART.finditer(path) if _opens(one)), None)


def _opens(part: re.Match[str]) -> bool:
    kind, name = part[1], part[2] or part[3]
    return kind != "int" and name not in OPEN


def _prefix(path: str) -> str:
    """What stands before the secret, as a pattern in which a slash may be doubled or written %2F."""
    secret = _secret(path)
    assert secret is not None, "asked for paths that have one"
    words = _PART.sub("\0", path[: secret.start()]).split("/")
    return f"{_SLASH}+".join(
        re.escape(word).replace("\0", f"{_SEGMENT}+").replace("\\\x00", f"{_SEGMENT}+") for word in words
    )
