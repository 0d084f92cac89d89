"""Strict readers of environment variables, used by `portal.settings` alone.

Every variable can also be given as `NAME_FILE`, a path to a file that holds the value (for container secrets). A wrong value
raises `WrongVariable`, whose text names the variable, what it holds and what it should hold; `manage.py` prints just that.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")


class WrongVariable(ImproperlyConfigured):
    """An environment variable that we cannot work with; the text is a sentence for the operator."""


def _raw(name: str) -> str | None:
    value, path = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if value is not None and path is not None:
        raise WrongVariable(f"{name} and {name}_FILE are both set. Keep one of them.")
    if path is None:
        return value
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "it is not UTF-8 text"
        raise WrongVariable(
            f"{name}_FILE points to {path!r}, which cannot be read ({reason}). "
            f"Point it to a readable file or set {name} itself."
        ) from None


def env_str(name: str, default: str = "") -> str:
    value = _raw(name)
    return default if value is None else value.strip()


def env_choice(name: str, default: str, *, choices: tuple[str, ...]) -> str:
    value = env_str(name, default)
    if value not in choices:
        raise WrongVariable(f"{name} is {value!r}; it should be one of: {', '.join(choices)}.")
    return value


def env_bool(name: str, default: bool = False) -> bool:
    """`true`/`false` (also yes/no, on/off, 1/0)."""
    value = _raw(name)
    if value is None or value.strip() == "":
        return default
    known = {
        "true": True,
        "yes": True,
        "on": True,
        "1": True,
        "false": False,
        "no": False,
        "off": False,
        "0": False,
    }
    try:
        return known[value.strip().lower()]
    except KeyError:
        raise WrongVariable(f"{name} is {value!r}; it should be true or false.") from None


def env_int(name: str, default: int, *, low: int = 0, high: int = 2**31) -> int:
    value = _raw(name)
    if value is None or value.strip() == "":
        return default
    try:
        number = int(value)
    except ValueError:
        raise WrongVariable(
            f"{name} is {value!r}; it should be a whole number from {low} to {high}."
        ) from None
    if not low <= number <= high:
        raise WrongVariable(f"{name} is {number}; it should be from {low} to {high}.")
    return number


def env_list(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Comma-separated words; empty ones are dropped."""
    value = _raw(name)
    return list(default) if value is None else [word.strip() for word in value.split(",") if word.strip()]


def env_url(name: str, default: str = "", *, schemes: tuple[str, ...] = ("https", "http")) -> str:
    """An absolute URL without a trailing slash, or empty."""
    value = env_str(name, default).rstrip("/")
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        fine = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        fine = False
    if not fine:
        raise WrongVariable(
            f"{name} is {value!r}; it should be an address that begins with {' or '.join(s + '://' for s in schemes)}."
        )
    return value


def env_parsed(name: str, default: str, parse: Callable[[str], T], *, should: str) -> T:
    """A value read by a library's parser; `should` says what the variable should hold, in words."""
    value = env_str(name, default)
    try:
        return parse(value)
    except (
        Exception
    ) as problem:  # parsers of third parties raise what they like; the operator gets one sentence
        raise WrongVariable(f"{name} is {_masked(value)!r} ({problem}); it should be {should}.") from None


def _masked(value: str) -> str:
    """A URL without its password, since start-up errors end in logs."""
    try:
        password = urlsplit(value).password
    except ValueError:
        return "(unreadable)"
    return value.replace(f":{password}@", ":•••@") if password else value
