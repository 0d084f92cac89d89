"""`manage.py web`: the web server alone, for service managers and containers. `manage.py prepare` comes first."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.logs import of_web_server
from sms.models.sql import session
from sms.worker import supervisor


class Command(BaseCommand):
    help = "Serve pages, both APIs and receipts until SIGTERM. Put a proxy that ends TLS before it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--host",
            default="127.0.0.1",
            metavar="ADDRESS",
            help="listen on this address of the machine, 0.0.0.0 for all of them (default: %(default)s)",
        )
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, help="processes (default: 2 on PostgreSQL, 1 on SQLite)")
        parser.add_argument(
            "--max-memory",
            type=int,
            metavar="MIB",
            help="a worker that has more is replaced (default: half of the machine's memory, shared by the workers)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            supervisor.must_be_free(options["port"], "--port", host=options["host"])
        except supervisor.CannotStart as problem:
            raise CommandError(str(problem)) from None
        if not settings.DEBUG and not (settings.STATIC_ROOT / "staticfiles.json").exists():
            raise CommandError("There are no static files yet. Run prepare first, or prepare --this-host.")
        web = supervisor.web(
            options["port"],
            host=options["host"],
            workers=options["workers"] or (1 if session.has_one_writer() else 2),
            most_memory=options["max_memory"],
            log_config=of_web_server(settings.LOG_FORMAT),
        )
        os.chdir(settings.WORK_DIR)
        os.execv(web.command[0], list(web.command))  # noqa: S606 - our own program, which takes this one's place
