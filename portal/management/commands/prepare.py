"""`manage.py prepare`: everything an installation needs before its processes start; safe to run again, on several hosts at once, and beside
processes that work. `manage.py up` runs it by itself.
"""

import tempfile
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal import first_run
from portal.demo.ending import retire_people
from sms import dispatch
from sms.ledger import wakeups
from sms.management.sentences import say
from sms.models import Actor, FactFold
from sms.models.sql import preparing


class Command(BaseCommand):
    help = "Make database, cache table, static files and the schedule ready. Run it at every deployment."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--no-code", action="store_true", help="make no code for the first admin; `up` makes its own"
        )
        parser.add_argument(
            "--this-host",
            action="store_true",
            help="only the static files, which every host has for itself; asks nothing of the database",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        must_be_writable()
        if options["this_host"]:
            self._static_files()
            return
        with preparing.alone(
            settings.VAR_DIR, busy=partial(self._say, "Another prepare is at work; this one waits.")
        ):
            self._prepare(with_code=not options["no_code"])

    def _prepare(self, *, with_code: bool) -> None:
        preparing.letting_go(
            partial(call_command, "migrate", interactive=False, verbosity=0),
            again=partial(self._say, "A table is in use; its change is tried again in a moment."),
        )
        call_command("createcachetable", verbosity=0)
        self._static_files()
        dispatch.epochs.check()  # before anybody makes or sends anything
        wakeups.make_schedule()  # at every start, so that an emptied queue heals
        # facts of what was there before there were facts
        if not FactFold.objects.filter(rebuilt_at__isnull=False).exists():
            call_command("rebuild_facts", verbosity=0)
        if not with_code:
            return
        if retire_people(by=Actor.system("cli")):
            self._say("Demo people cannot sign in any more: they exist only with `manage.py up --demo`.")
        if code := first_run.issue():
            self._say(f"The first admin is made at {settings.PUBLIC_URL}/setup/ with the code {code}")

    def _static_files(self) -> None:
        if not settings.DEBUG:
            # a third of all bytes, and no page of ours shows it
            call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["redoc"])

    def _say(self, sentence: str) -> None:
        say(sentence, to=self.stdout)


def must_be_writable() -> None:
    folder = settings.VAR_DIR
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        raise CommandError(
            f"VAR_DIR ({folder}) cannot be written: {problem.strerror}. Make it a folder of the user that Textdesk runs as."
        ) from None
