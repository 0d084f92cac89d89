"""The web server's entry point: `granian --interface wsgi portal.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_wsgi_application()

from sms.ledger import wakeups  # noqa: E402 - needs Django

wakeups.coalesce(0.5)  # the queue is looked at twice a second
