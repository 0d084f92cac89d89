"""What is over by its time and would only fill the database: entries of the shared cache, and sessions. A job calls it."""

from importlib import import_module

from django.conf import settings
from django.core.cache import cache


def forget() -> int:
    """How many entries of the cache were over; a cache that is no table forgets by itself."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    return int(getattr(cache, "forget", int)())
