"""What a file of recipients may be, from the settings."""

from django.conf import settings

from sms.audiences.files import Limits


def upload_limits() -> Limits:
    return Limits(bytes=settings.UPLOAD_MAX_BYTES, rows=settings.UPLOAD_MAX_ROWS)
