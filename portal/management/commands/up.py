"""`manage.py up`: all of Textdesk with one command; with `--demo` including its own pretend Webex Connect."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connections

from portal import demo, first_run
from portal.env import env_url
from sms.ledger import wakeups
from sms.models.fields import UnreadableSecret
from sms.models.sql import session
from sms.worker import supervisor, watchdog

SANDBOX_KEY = "sandbox-key"


class Command(BaseCommand):
    """Migrate, start everything, watch it, stop it."""

    help = "Start web, dispatch cluster and (with --demo) the Webex Connect sandbox. Ctrl-C stops everything."
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's spelling; checks run with migrate below

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--demo", action="store_true", help="load the demo service, its people, and start the sandbox"
        )
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--sandbox-port", type=int, default=8001)
        parser.add_argument(
            "--webex", metavar="URL", help="connect the demo service to this address instead of a sandbox"
        )
        parser.add_argument("--webex-key", metavar="KEY", help="the service key for --webex")
        parser.add_argument(
            "--patience",
            type=float,
            default=watchdog.PATIENCE,
            metavar="SECONDS",
            help="restart a cluster that has not answered a wake-up for this long (default: %(default)g)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._handle(**options)
        except supervisor.CannotStart as problem:
            raise CommandError(str(problem)) from None
        except UnreadableSecret as problem:
            raise CommandError(f"FIELD_KEYS does not fit this database: {problem}.") from None
        except OperationalError as problem:
            raise CommandError(
                f"The database does not answer: {str(problem).strip().splitlines()[0]}. Check DATABASE_URL."
            ) from None

    def _handle(
        self,
        *,
        demo: bool,
        port: int,
        sandbox_port: int,
        webex: str | None,
        webex_key: str | None,
        patience: float,
        **rest: Any,
    ) -> None:
        del rest
        self._check_options(with_demo=demo, webex=webex, webex_key=webex_key)
        own_sandbox = demo and not webex
        supervisor.must_be_free(port, "--port")
        if own_sandbox:
            supervisor.must_be_free(sandbox_port, "--sandbox-port")
        self._prepare()
        lines = [f"Textdesk is at http://127.0.0.1:{port}/"]
        if demo:
            url = webex.rstrip("/") if webex else f"http://127.0.0.1:{sandbox_port}"
            lines += self._load_demo(url=url, key=webex_key or SANDBOX_KEY, is_sandbox=own_sandbox)
        elif code := first_run.issue():
            lines.append(f"There are no accounts yet. Make the first admin there, with the code {code}")
        connections.close_all()
        workers = 1 if session.has_one_writer() else 2
        children = [supervisor.web(port, workers=workers), supervisor.cluster(watchdog.Watchdog(patience))]
        if own_sandbox:
            children.insert(0, supervisor.sandbox(sandbox_port, SANDBOX_KEY))
        processes = supervisor.Supervisor(
            children=children,
            folder=Path(settings.BASE_DIR),
            environment=self._environment(port, demo=demo),
            stop_file=settings.STOP_FILE,
            say=self._say,
        )
        processes.run(
            ready_url=f"http://127.0.0.1:{port}/healthz",
            when_ready=lambda: self._say("\n".join([*lines, "Ctrl-C stops it."])),
        )

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    @staticmethod
    def _check_options(*, with_demo: bool, webex: str | None, webex_key: str | None) -> None:
        if (webex or webex_key) and not with_demo:
            raise CommandError("--webex and --webex-key belong to the demo service: add --demo.")
        if bool(webex) != bool(webex_key):
            raise CommandError("--webex and --webex-key belong together: give both.")
        if webex and not webex.startswith(("http://", "https://")):
            raise CommandError(
                f"--webex is {webex!r}; it should be an address that begins with https:// or http://."
            )

    @staticmethod
    def _prepare() -> None:
        call_command("prepare", no_code=True)
        wakeups.dispatch()  # what became due while nothing ran goes out now, not at the first tick

    @staticmethod
    def _load_demo(*, url: str, key: str, is_sandbox: bool) -> list[str]:
        password = demo.password_of(settings.VAR_DIR)
        demo.load(demo.DemoConnection(url, key, is_sandbox), password=password)
        people = ", ".join(f"{role}@demo.test" for role in demo.PEOPLE)
        provider = (
            f"The sandbox is at {url}/__sandbox__/handsets"
            if is_sandbox
            else f"The demo service sends to {url}"
        )
        return [f"Sign in as {people}", f"with the password {password}", provider]

    @staticmethod
    def _environment(port: int, *, demo: bool) -> dict[str, str]:
        """Children get what we have, and an address that fits the port unless one was set."""
        environment = dict(os.environ)
        try:
            given = env_url("PUBLIC_URL")
        except ImproperlyConfigured as problem:
            raise CommandError(str(problem)) from None
        if not given:
            environment["PUBLIC_URL"] = f"http://127.0.0.1:{port}"
        if demo:
            environment.setdefault("CALLBACKS_TO_LOOPBACK", "true")  # a receiver on this machine, to look at
        return environment
