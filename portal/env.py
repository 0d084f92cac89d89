"""Strict readers of environment variables, used by `portal.settings` and by modules that read some of them for it.

Every variable can also be given as `NAME_FILE`, a path to a file that holds the value (for container secrets). An empty one is
unset: Docker, compose and systemd hand over what a file of variables leaves empty. A wrong value raises `WrongVariable`, whose text
names the variable, what it holds (unless that may be a secret) and what it should hold; `manage.py` prints just that.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")


class WrongVariable(ImproperlyConfigured):
    """An environment variable that we cannot work with; the text is a sentence for the operator."""


def _raw(name: str) -> str | None:
    value, path = os.environ.get(name, "").strip() or None, os.environ.get(f"{name}_FILE") or None
    if value and path:
        raise WrongVariable(f"{name} and {name}_FILE are both set. Keep one of them.")
    if path is None:
        return value
    try:
        return Path(path).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "it is not UTF-8 text"
        raise WrongVariable(
            f"{name}_FILE points to {path!r}, which cannot be read ({reason}). "
            f"Point it to a readable file or set {name} itself."
        ) from None


def env_str(name: str, default: str = "") -> str:
    return _raw(name) or default


def env_choice(name: str, default: str, *, choices: tuple[str, ...]) -> str:
    value = env_str(name, default)
    if value not in choices:
        raise WrongVariable(f"{name} is {value!r}; it should be one of: {', '.join(choices)}.")
    return value


def env_bool(name: str, default: bool = False) -> bool:
    """`true`/`false` (also yes/no, on/off, 1/0)."""
    value = _raw(name) or ""
    if value.lower() in ("true", "yes", "on", "1"):
        return True
    if value.lower() in ("false", "no", "off", "0"):
        return False
    if value:
        raise WrongVariable(f"{name} is {value!r}; it should be true or false.")
    return default


def env_int(name: str, default: int, *, low: int = 0, high: int = 2**31) -> int:
    value = _raw(name)
    if value is None:
        return default
    try:
        number = int(value)
    except ValueError:
        should = f"it should be a whole number from {low} to {high}."
        raise WrongVariable(f"{name} is {value!r}; {should}") from None
    if not low <= number <= high:
        raise WrongVariable(f"{name} is {number}; it should be from {low} to {high}.")
    return number


def env_fraction(name: str, default: float) -> float:
    value = env_str(name, str(default))
    with suppress(ValueError):
        if 0 <= float(value) <= 1:
            return float(value)
    raise WrongVariable(f"{name} is {value!r}; it should be a number from 0 to 1.")


def env_list(name: str) -> list[str]:
    """Comma-separated words; empty ones are dropped."""
    return [word.strip() for word in (_raw(name) or "").split(",") if word.strip()]


def env_url(name: str, default: str = "") -> str:
    """An absolute URL without a trailing slash, or empty."""
    value = env_str(name, default).rstrip("/")
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        fine = (
            parts.scheme in ("https", "http")
            and bool(parts.hostname)
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        fine = False
    if "@" in value:
        raise WrongVariable(f"{name} holds a user or a password; it should be an address without them.")
    if not fine:
        raise WrongVariable(
            f"{name} is {value!r}; it should be an address that begins with https:// or http://."
        )
    return value


def env_parsed(name: str, default: str, parse: Callable[[str], T], *, should: str) -> T:
    """An address that may hold a password, read by a library's parser; `should` says what it should be like.

    Neither it nor the parser's complaint is shown: where the password has one of / ? # unescaped, what is taken for the host or
    the port is a part of it.
    """
    value = env_str(name, default)
    try:
        parts = urlsplit(value)
        hosts = parts.netloc.rpartition("@")[2].split(",")  # PostgreSQL takes several
        if 0 in [urlsplit(f"//{host}").port for host in hosts] or (
            parts.netloc and "@" in parts.path + parts.query + parts.fragment
        ):
            raise ValueError
        return parse(value)
    except Exception:  # parsers of third parties raise what they like
        raise WrongVariable(
            f"{name} cannot be read, and is not shown, since it may hold a password; it should be {should}. "
            "In a user or a password / ? # @ : % [ ] are written %2F %3F %23 %40 %3A %25 %5B %5D."
        ) from None


def needs_extra(name: str, extra: str, module: str) -> None:
    """Of a variable that is set: whether what it switches on is installed."""
    with suppress(ModuleNotFoundError):
        if find_spec(module):
            return
    raise WrongVariable(
        f"{name} is set, and what it switches on is not installed. Install textdesk[{extra}], or unset it."
    )
