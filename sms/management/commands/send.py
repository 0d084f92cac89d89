"""`manage.py send`: the composer's twin for cron and scripts. Same validation, same audit, same code as the page."""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import phonenumbers
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sms.audiences.files import AudienceError, Limits, ReadingChoices, by_size, stream
from sms.catalogue.content_gate.finding import ADVICE
from sms.compose import labels
from sms.compose.approval import queries
from sms.compose.create import create
from sms.compose.errors import ComposeError
from sms.compose.order import Order
from sms.compose.placeholders import Sources, sources_from_json
from sms.compose.rejects import rejected_groups
from sms.compose.resolved_order import ResolvedOrder, resolve
from sms.management.option_arguments import add_option_arguments, in_zone, moment, named, options_of
from sms.management.reading_arguments import add_reading_arguments
from sms.models import Actor, ApprovalState, Preparation, Send, SendState, Service
from sms.models.sql.session import database_now
from sms.sends.progress import progress_of
from sms.values import text
from sms.webex.addresses import bare_sender

STILL = 60.0  # seconds without any movement after which --wait returns: a busy machine may need half a minute to start a process
REPORT_EVERY = 2.0  # seconds between two lines about how far it is
QUEUE = 100  # works of other people that are looked at


class Command(BaseCommand):
    help = "Send a text or a template to the recipients of a file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--service", required=True, metavar="SLUG")
        parser.add_argument("--sender", required=True)
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--text")
        what.add_argument("--template", metavar="NAME")
        parser.add_argument("--audience", required=True, type=Path, metavar="FILE", help="CSV or XLSX")
        parser.add_argument(
            "--country", default="", help="how to read numbers without a country code, for example GB"
        )
        add_reading_arguments(parser)
        parser.add_argument(
            "--at", type=moment, help="ISO time; without an offset it is in the service's time zone"
        )
        parser.add_argument("--name", default="")
        several: dict[str, Any] = {"action": "append", "default": []}
        says = "a word by which reports are sorted; several: once for each, or with commas"
        parser.add_argument("--label", **several, help=says)
        says = "the column of another name that fills a placeholder"
        parser.add_argument("--fill", **several, metavar="PLACEHOLDER=COLUMN", help=says)
        says = "what stands for a placeholder where a row has nothing"
        parser.add_argument("--fallback", **several, metavar="PLACEHOLDER=TEXT", help=says)
        add_option_arguments(parser)
        parser.add_argument(
            "--wait",
            action="store_true",
            help="until every message has its end or nothing at all moved for 60 s; how far a large one is goes to stderr",
        )
        parser.add_argument("--json", action="store_true", help="print one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Send; every problem is one sentence and exit code 1."""
        started = time.monotonic()
        service = Service.objects.select_related("region").filter(slug=options["service"]).first()
        if service is None:
            known = ", ".join(Service.objects.values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"There is no service {options['service']!r}. Known services: {known}.")
        by = Actor(kind="system", key="", label="manage.py send", door="cli")
        try:
            with ExitStack() as files:  # a large one is read again while it is stored
                order = resolve(self._order(service, options, files))
                _refuse_unknown_placeholders(order)
                send = create(order, by=by, now=database_now())
        except ComposeError as problem:
            raise CommandError("\n".join(f"{item.field}: {item.text}" for item in problem.problems)) from None
        except AudienceError as problem:  # a large file is read on the way
            raise _unreadable(problem) from None
        for one in order.cautions:
            if one.level != ADVICE:
                self.stderr.write(f"Warning: {one.text}")
        if options["wait"]:
            _wait(send, say=self.stderr.write)
        self._print(send, seconds=time.monotonic() - started, as_json=options["json"])

    def _order(self, service: Service, options: dict[str, Any], files: ExitStack) -> Order:
        country = options["country"].upper() or service.default_country
        if country not in phonenumbers.SUPPORTED_REGIONS:
            raise CommandError(f"country: “{country}” is not a country. Write its two letters, like GB.")
        senders, templates = service.senders.filter(active=True), service.templates.filter(active=True)
        name = options["template"]
        return Order(
            service=service,
            sender=named(senders, "sender", "address", bare_sender(options["sender"]), service),
            content=options["text"] or "",
            template=named(templates, "template", "name", name, service) if name else None,
            audience=self._audience(options, country, files),
            name=options["name"],
            labels=[word for written in options["label"] for word in labels.split(written)],
            due_at=in_zone(options["at"], service),
            placeholder_sources=_sources(options),
            options=options_of(options, service),
            source=options["audience"].name,
        )

    @staticmethod
    def _audience(given: dict[str, Any], country: str, files: ExitStack) -> Any:
        path: Path = given["audience"]
        limits = Limits(bytes=settings.UPLOAD_MAX_BYTES, rows=settings.UPLOAD_MAX_ROWS)
        try:
            file = files.enter_context(path.open("rb"))
            size = path.stat().st_size if file.seekable() else 0  # a pipe is read as a whole
            options: dict[str, Any] = {"name": path.name, "country": country, "limits": limits}
            options |= {"column": given["column"], "choices": ReadingChoices.of(given)}
            return by_size(lambda: stream(file, **options), size=size)
        except OSError as problem:
            raise CommandError(f"audience: {path} cannot be read ({problem.strerror}).") from None
        except AudienceError as problem:
            raise _unreadable(problem) from None

    def _print(self, send: Send, *, seconds: float, as_json: bool) -> None:
        send.refresh_from_db(fields=["state", "settled_at", "recipients", "rejected"])
        progress = progress_of(send)
        states = progress.counts
        if as_json:
            line = {
                "send": send.pk,
                "state": send.shown_state,
                "recipients": send.recipients,
                "rejected": send.rejected,
                "states": states,
                "outstanding": progress.unanswered,
                "seconds": round(seconds, 2),
            }
            self.stdout.write(json.dumps(line))
            return
        if (asked := queries.status_of(send)) is not None and asked.state == ApprovalState.OPEN:
            why = " ".join(rule["detail"] for rule in asked.request.rules)
            people = "one person" if asked.needed == 1 else f"{asked.needed} people"
            self.stderr.write(f"It waits for the approval of {people} on its page. {why}")
        shown = ", ".join(f"{count} {state}" for state, count in states.items())
        noun = "recipient" if send.recipients == 1 else "recipients"
        self.stdout.write(
            f"Send {send.pk}: {send.recipients} {noun}, {send.rejected} rejected; {shown} ({seconds:.1f} s)"
        )
        for group in rejected_groups(send):
            self.stdout.write(f"  {group.text}.")


def _unreadable(problem: AudienceError) -> CommandError:
    found = problem.for_program("audience")
    return CommandError(f"{found.field}: {found.text}")


def _sources(options: dict[str, Any]) -> Sources:
    """`--fill name=Customer --fallback "name=friend"` as an order has them."""
    found: dict[str, dict[str, str]] = {}
    for argument, part in (("fill", "column"), ("fallback", "fallback")):
        for written in options[argument]:
            name, equals, value = written.partition("=")
            if not (name.strip() and equals and value.strip()):
                raise CommandError(f"{argument}: {written!r} is not written like --{argument} name=value.")
            found.setdefault(name.strip(), {})[part] = value.strip()
    return sources_from_json(found)


def _refuse_unknown_placeholders(order: ResolvedOrder) -> None:
    """A mistyped name would fill nothing, and every row without a value would be left out."""
    have = {text.match_key(one.name): one.name for one in order.placeholders}
    unknown = [name for name in order.placeholder_sources if text.match_key(name) not in have]
    if order.text and unknown:
        names = ", ".join(f"$({name})" for name in have.values()) or "none"
        raise CommandError(f"fill: The text has no placeholder $({unknown[0]}). It has: {names}.")


def _wait(send: Send, *, say: Callable[[str], object]) -> None:
    """Until all messages are final, or nothing at all has moved for STILL seconds (counted from when it was due)."""
    before, moved, reported = _progress_of(send), time.monotonic(), -REPORT_EVERY
    while time.monotonic() - moved < STILL:
        work = _work_on(send)
        if work is not None and work.state == Preparation.State.FAILED:
            say(f"{work.trouble} Nothing of it was posted. Its page lets it go on.")
            return
        if work is None and progress_of(send).settled:
            return
        if work is not None and time.monotonic() - reported > REPORT_EVERY:
            reported = time.monotonic()
            say(f"{work.get_kind_display()}: {work.rows:,} of {work.total:,} rows.")
        time.sleep(0.2)
        now = _progress_of(send)
        if now != before or _not_due(send):
            before, moved = now, time.monotonic()
    if work is not None:
        say(
            f"Its messages are still being written, {work.rows:,} of {work.total:,} rows, and nothing moved for {STILL:.0f} s. "
            "`manage.py up`, `qcluster` or `dispatch` does that: see that one of them runs. Nothing is lost."
        )


def _work_on(send: Send) -> Preparation | None:
    """The writing of a large one's messages while it is under way; its figures are right afterwards."""
    if send.state == SendState.PREPARING:
        send.refresh_from_db(fields=["state", "recipients", "rejected"])
    return Preparation.objects.filter(send=send).first() if send.state == SendState.PREPARING else None


def _progress_of(send: Send) -> object:
    """Whatever changes while something moves: its messages; and while they are written, how far that is and all work before it."""
    if send.state != SendState.PREPARING:
        return send.counts()
    waits = Preparation.objects.filter(state=Preparation.State.WAITING).order_by("pk")
    return send.counts(), list(waits.values_list("pk", "rows", "done", "leased_until")[:QUEUE])


def _not_due(send: Send) -> bool:
    return send.due_at > database_now()
