"""`manage.py prepare`: everything an installation needs before its processes start; safe to run again. `manage.py up` runs it by itself."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from portal import first_run
from portal.demo.ending import retire_people
from sms import dispatch
from sms.ledger import wakeups
from sms.models import Actor, FactFold


class Command(BaseCommand):
    help = "Make database, cache table, static files and the schedule ready. Run it at every deployment."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--no-code", action="store_true", help="make no code for the first admin; `up` makes its own"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        if not settings.DEBUG:
            # a third of all bytes, and no page of ours shows it
            call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["redoc"])
        dispatch.epochs.check()  # before anybody makes or sends anything
        wakeups.make_schedule()  # at every start, so that an emptied queue heals
        # facts of what was there before there were facts
        if not FactFold.objects.filter(rebuilt_at__isnull=False).exists():
            call_command("rebuild_facts", verbosity=0)
        if options["no_code"]:
            return
        if retire_people(by=Actor.system("cli")):
            self.stdout.write(
                "Demo people cannot sign in any more: they exist only with `manage.py up --demo`."
            )
        if code := first_run.issue():
            self.stdout.write(f"The first admin is made at {settings.PUBLIC_URL}/setup/ with the code {code}")
