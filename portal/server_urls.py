"""Addresses of servers as `portal.settings` reads them, by django-environ's parsers; ValueError for one of another kind."""

from typing import Any
from urllib.parse import urlsplit

import environ


def database(url: str) -> dict[str, object]:
    parsed = environ.Env.db_url_config(url)
    engine = str(parsed.get("ENGINE", ""))
    if engine not in {"django.db.backends.sqlite3", "django.db.backends.postgresql"}:
        raise ValueError("neither SQLite nor PostgreSQL")
    return dict(parsed)


def redis(url: str) -> dict[str, Any]:
    if url.partition("://")[0] not in ("redis", "rediss") or not urlsplit(url).hostname:
        raise ValueError("not an address of one Redis server")
    return dict(environ.Env.cache_url_config(url))
