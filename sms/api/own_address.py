"""Where the caller reached this Textdesk, for documents and pages that name it. Called by `sms.api.v1.documents` and pages."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings


def address_for(request: Any) -> str:
    """Without a slash at its end. Of PUBLIC_URL's own host it is PUBLIC_URL: behind a proxy the scheme of the request may be another."""
    host = request.get_host()
    if urlsplit(settings.PUBLIC_URL).netloc.lower() == host.lower():
        return str(settings.PUBLIC_URL).rstrip("/")
    return f"{request.scheme}://{host}"
