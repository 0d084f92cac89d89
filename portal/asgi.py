"""The web server's entry point: `granian --interface asginl --task-impl asyncio portal.asgi:application`."""

import gc
import os
import resource

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django_application = get_wsgi_application()

from portal.web.front import Front  # noqa: E402 - needs Django
from sms.api import refused_requests  # noqa: E402
from sms.ledger import wakeups  # noqa: E402
from sms.models.sql.availability import database  # noqa: E402

refused_requests.gather()
database.watch()
wakeups.coalesce(0.5)  # the queue is looked at twice a second
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a socket of each who waits is a file

application = Front(django_application)
gc.freeze()  # what is loaded by now stays, and is not looked through again with every collection
