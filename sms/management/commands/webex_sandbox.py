"""`manage.py webex_sandbox`: the Webex Connect simulator alone. The options are the sandbox's own; see docs/partners/sandbox.md."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from sms.management.sentences import say
from sms.webex.sandbox.command import main


class Command(BaseCommand):
    help = "Run the Webex Connect sandbox."
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own spelling

    def run_from_argv(self, argv: list[str]) -> None:
        """The sandbox reads its own command line, so that `--help` is its own too."""
        sys.exit(main(argv[2:], say=say))

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(main([str(value) for value in args], say=say))
