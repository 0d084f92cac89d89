"""`manage.py up`: all of Textdesk with one command; with `--demo` including its own pretend Webex Connect."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connections

from portal import first_run
from portal.demo.desk import furnish
from portal.demo.ending import live_services, retire_people
from portal.demo.entries import ADDRESSES, SLUG
from portal.demo.loading import load, password_of
from portal.env import env_str, env_url
from portal.logs import of_web_server
from sms.catalogue.provider_address import bare_base
from sms.ledger import wakeups
from sms.management.sentences import say
from sms.models import Actor, Service
from sms.models.fields import UnreadableSecret
from sms.models.sql import session
from sms.webex.origin import origin_of
from sms.worker import supervisor, watchdog

SANDBOX_KEY = "sandbox-key"


class Command(BaseCommand):
    help = "Start web, dispatch cluster and (with --demo) the Webex Connect sandbox. Ctrl-C stops everything."
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's spelling; checks run with migrate below

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--demo", action="store_true", help="load the demo service, its people, and start the sandbox"
        )
        parser.add_argument(
            "--unfurnished",
            action="store_true",
            help="with --demo: leave out the ninety days of sends that a new demo begins with",
        )
        parser.add_argument(
            "--host",
            default="127.0.0.1",
            metavar="ADDRESS",
            help="listen on this address of the machine, 0.0.0.0 for all of them; what reaches it should be a proxy (default: %(default)s)",
        )
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--sandbox-port", type=int, default=8001)
        parser.add_argument(
            "--webex",
            type=bare_base,
            metavar="URL",
            help="connect the demo service to this address instead of a sandbox",
        )
        parser.add_argument(
            "--webex-key-file", type=Path, metavar="FILE", help="holds the service key for --webex"
        )
        parser.add_argument(
            "--webex-key",
            metavar="KEY",
            help="the service key itself, which every user of this machine sees in its list of processes",
        )
        parser.add_argument(
            "--patience",
            type=float,
            default=watchdog.PATIENCE,
            metavar="SECONDS",
            help="restart a cluster that has not answered a wake-up for this long (default: %(default)g)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._handle(options["port"], options)
        except supervisor.CannotStart as problem:
            raise CommandError(str(problem)) from None
        except UnreadableSecret as problem:
            raise CommandError(f"FIELD_KEYS does not fit this database: {problem}.") from None
        except OperationalError as problem:
            first = str(problem).strip().splitlines()[0]
            raise CommandError(f"The database does not answer: {first}. Check DATABASE_URL.") from None

    def _handle(self, port: int, options: dict[str, Any]) -> None:
        with_demo, webex, webex_key = options["demo"], options["webex"], self._webex_key(options)
        sandbox_port = options["sandbox_port"]
        if (webex or webex_key) and not with_demo:
            raise CommandError("--webex and its key belong to the demo service: add --demo.")
        if bool(webex) != bool(webex_key):
            raise CommandError("--webex and --webex-key-file (or WEBEX_KEY) belong together: give both.")
        if webex and not webex.startswith(("http://", "https://")):
            says = f"--webex is {webex!r}; it should be an address that begins with https:// or http://."
            raise CommandError(says)
        host = options["host"]
        supervisor.must_be_free(port, "--port", host=host)
        if with_demo and not webex:
            supervisor.must_be_free(sandbox_port, "--sandbox-port")
        call_command("prepare", no_code=True)
        wakeups.dispatch()  # what became due while nothing ran goes out now, not at the first tick
        reached_at = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 - every address
        here = f"http://{reached_at}:{port}/"
        lines = [
            f"Textdesk is at {settings.PUBLIC_URL}/ (from {here})"
            if settings.HTTPS
            else f"Textdesk is at {here}"
        ]
        loaded = False
        if with_demo:
            url = webex or f"http://127.0.0.1:{sandbox_port}"
            loaded, said = self._load_demo(url=url, key=webex_key or SANDBOX_KEY, asked_for=webex)
            lines += said
            if loaded and not options["unfurnished"]:
                furnish(Service.objects.select_related("region").get(slug=SLUG))
        elif retire_people(by=Actor.system("cli")):
            lines.append(
                "Demo people cannot sign in: they exist only with --demo, and only while no service is live."
            )
        if not loaded and (code := first_run.issue()):
            lines.append(f"There are no accounts yet. Make the first admin there, with the code {code}")
        own_sandbox = loaded and not webex
        connections.close_all()
        workers = 1 if session.has_one_writer() else 2
        watch = watchdog.Watchdog(options["patience"])
        children = [
            supervisor.web(port, host=host, workers=workers, log_config=of_web_server(settings.LOG_FORMAT)),
            supervisor.cluster(watch),
        ]
        ready = [f"{here}healthz"]
        if own_sandbox:
            children.insert(0, supervisor.sandbox(sandbox_port, SANDBOX_KEY))
            ready.append(f"http://127.0.0.1:{sandbox_port}/__sandbox__/health")
        processes = supervisor.Supervisor(
            children=children,
            folder=settings.WORK_DIR,
            environment=self._environment(port, demo=loaded),
            stop_file=settings.STOP_FILE,
            say=self._say,
        )
        processes.run(
            ready_urls=ready,
            when_ready=lambda: self._say("\n".join([*lines, "Ctrl-C stops it."])),
        )

    def _webex_key(self, options: dict[str, Any]) -> str:
        """From a file, from WEBEX_KEY (which counts only beside --webex), or from the command line, with a warning."""
        typed, path = options["webex_key"], options["webex_key_file"]
        if typed and path:
            raise CommandError("--webex-key and --webex-key-file are both given. Keep the file.")
        if typed:
            self.stderr.write(
                "Warning: --webex-key is seen by every user of this machine in its list of processes. Use --webex-key-file FILE."
            )
            return str(typed)
        if path:
            try:
                return str(path.read_text(encoding="utf-8").strip())
            except (OSError, UnicodeDecodeError) as problem:
                reason = getattr(problem, "strerror", None) or "it is not UTF-8 text"
                raise CommandError(f"--webex-key-file {path} cannot be read: {reason}.") from None
        return env_str("WEBEX_KEY") if options["webex"] else ""

    def _say(self, text: str) -> None:
        say(text, to=self.stdout)

    @staticmethod
    def _load_demo(*, url: str, key: str, asked_for: str | None) -> tuple[bool, list[str]]:
        """Whether the demo is there with its people, and what to say; a service that is live is never touched."""
        password = password_of(settings.VAR_DIR)
        service = load(url, key, password=password)
        if service is None:
            live = live_services().order_by("pk").values_list("name", "slug")
            if asked_for and not Service.objects.filter(slug=SLUG, secrets_origin=origin_of(url)).exists():
                raise CommandError(
                    f"{live[0][0]} is live, and its connection is not changed from here. Change a connection on the "
                    "settings page of its service, or use another database."
                )
            names = " and ".join(name for name, _ in live)
            return False, [
                f"{names} {'is' if len(live) == 1 else 'are'} connected to Webex Connect, so nothing of the demo was loaded: "
                "no demo people, no sandbox.",
                "To try things out, use another folder and database: VAR_DIR=var/demo make run",
            ]
        if not service.is_sandbox:
            return False, [f"The demo service sends to {url}. It is live, so there are no demo people."]
        sandbox = f"The sandbox is at {url}/__sandbox__/handsets"
        provider = f"The demo service sends to {url}" if asked_for else sandbox
        return True, [f"Sign in as {', '.join(ADDRESSES)}", f"with the password {password}", provider]

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
