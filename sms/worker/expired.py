"""What is over by its time and would only fill the database: entries of the shared cache, sessions, and signs of life. A job calls it."""

from importlib import import_module

from django.conf import settings
from django.core.cache import cache

from sms.models import Heartbeat


def forget() -> int:
    """How many entries of the cache were over; a cache that is no table forgets by itself."""
    Heartbeat.forget()
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    return int(getattr(cache, "forget", int)())
