"""The web server's entry point: `granian --interface wsgi portal.wsgi:application`."""

import os
from collections.abc import Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django_application = get_wsgi_application()

from portal import bodies  # noqa: E402 - needs Django
from sms.api import refused_requests  # noqa: E402
from sms.ledger import wakeups  # noqa: E402

refused_requests.gather()
wakeups.coalesce(0.5)  # the queue is looked at twice a second


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Django, which is given every body whole."""
    try:
        refused = bodies.read(environ)
        if refused is None:
            return django_application(environ, start_response)
        start_response(f"{refused.status_code} {refused.reason_phrase}", list(refused.items()))
        return [refused.content]
    finally:
        bodies.close(environ)
