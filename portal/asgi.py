"""The web server's entry point: `granian --interface asginl --task-impl asyncio portal.asgi:application`."""

import gc
import multiprocessing
import os
import resource

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django_application = get_wsgi_application()

from portal import signs_of_life  # noqa: E402 - needs Django
from portal.web.front import Front  # noqa: E402
from sms.api import refused_requests  # noqa: E402
from sms.ledger import wakeups  # noqa: E402
from sms.models.sql.availability import database  # noqa: E402
from sms.worker import own_spools, tied  # noqa: E402

if (server := multiprocessing.parent_process()) is not None and server.pid:
    tied.end_with(server.pid)
refused_requests.gather()
own_spools.keep_taking_in()
database.watch()
wakeups.coalesce(0.5)  # the queue is looked at twice a second
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a socket of each who waits is a file

signs_of_life.begin()
application = Front(django_application)
gc.freeze()  # what is loaded by now stays, and is not looked through again with every collection
