"""How many rows a page of a list has, and what a file of recipients may be, from the settings."""

from django.conf import settings

from sms.audiences.files import Limits

PAGE = 50  # rows of a table
CARDS = 30  # of things with a paragraph each


def upload_limits() -> Limits:
    return Limits(bytes=settings.UPLOAD_MAX_BYTES, rows=settings.UPLOAD_MAX_ROWS)
