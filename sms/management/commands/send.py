"""`manage.py send`: the composer's twin for cron and scripts. Same validation, same audit, same code as the page."""

import json
import time
from argparse import ArgumentTypeError
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sms.audiences.files import AudienceError, Limits, by_size, stream
from sms.compose import labels
from sms.compose.approval import queries
from sms.compose.create import create
from sms.compose.errors import ComposeError
from sms.compose.order import Order
from sms.models import (
    Actor,
    ApprovalState,
    Lane,
    MessageTemplate,
    Preparation,
    Resend,
    Send,
    Sender,
    SendState,
    Service,
)
from sms.models.message import FINAL
from sms.values import quiet_hours

STILL = 15.0  # seconds without any movement after which --wait returns
REPORT_EVERY = 2.0  # seconds between two lines about how far it is
QUEUE = 100  # works of other people that are looked at


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(
            f"{text!r} is not a time; write it like 2026-12-24T09:00 or 2026-12-24T09:00:00Z"
        ) from None


def _in_zone(moment: datetime | None, service: Service) -> datetime | None:
    """What has no offset is the service's wall clock; a skipped hour is the moment of the change, a repeated one its first."""
    if moment is None or moment.tzinfo is not None:
        return moment
    return quiet_hours.local_instant(moment, service.time_zone)


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
        parser.add_argument(
            "--at", type=_moment, help="ISO time; without an offset it is in the service's time zone"
        )
        parser.add_argument(
            "--expires", type=_moment, help="ISO time after which nothing more of it is posted"
        )
        lanes = [lane.name.lower() for lane in Lane]
        parser.add_argument(
            "--lane", choices=lanes, default="normal", help="who goes first where not all can"
        )
        parser.add_argument(
            "--if-unconfirmed",
            choices=Resend.values,
            default=Resend.NEVER,
            help="whether to send again what may have been sent; always needs --expires",
        )
        parser.add_argument(
            "--start-small", action="store_true", help="1 %% first, then 10 %%, then the rest"
        )
        parser.add_argument(
            "--at-night-too", action="store_true", help="whatever the service's quiet hours say"
        )
        parser.add_argument(
            "--label",
            action="append",
            default=[],
            help="a word by which reports are sorted; several: once for each, or with commas",
        )
        parser.add_argument("--name", default="")
        parser.add_argument(
            "--wait",
            action="store_true",
            help="until every message is final or nothing at all moved for 15 s; how far a large one is goes to stderr",
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
                send = create(self._order(service, options, files), by=by)
        except ComposeError as problem:
            raise CommandError("\n".join(f"{item.field}: {item.text}" for item in problem.problems)) from None
        except AudienceError as problem:  # a large file is read on the way
            raise CommandError(f"audience: {problem}") from None
        if options["wait"]:
            _wait(send, say=self.stderr.write)
        self._print(send, seconds=time.monotonic() - started, as_json=options["json"])

    def _order(self, service: Service, options: dict[str, Any], files: ExitStack) -> Order:
        sender = Sender.objects.filter(service=service, address=options["sender"]).first()
        if sender is None:
            have = ", ".join(
                Sender.objects.filter(service=service, active=True).values_list("address", flat=True)
            )
            raise CommandError(
                f"sender: {options['sender']!r} is not a sender of {service.name}. It has: {have or 'none'}."
            )
        template = None
        if options["template"]:
            template = MessageTemplate.objects.filter(service=service, name=options["template"]).first()
            if template is None:
                have = ", ".join(
                    MessageTemplate.objects.filter(service=service, active=True).values_list(
                        "name", flat=True
                    )
                )
                raise CommandError(
                    f"template: there is no {options['template']!r}. {service.name} has: {have or 'none'}."
                )
        return Order(
            service=service,
            sender=sender,
            content=options["text"] or "",
            template=template,
            audience=self._audience(
                options["audience"], options["country"] or service.default_country, files
            ),
            name=options["name"],
            labels=[word for written in options["label"] for word in labels.split(written)],
            due_at=_in_zone(options["at"], service),
            expires_at=_in_zone(options["expires"], service),
            lane=Lane[options["lane"].upper()],
            resend=Resend(options["if_unconfirmed"]),
            ramp=options["start_small"],
            respect_quiet_hours=not options["at_night_too"],
            source=options["audience"].name,
        )

    @staticmethod
    def _audience(path: Path, country: str, files: ExitStack) -> Any:
        limits = Limits(bytes=settings.UPLOAD_MAX_BYTES, rows=settings.UPLOAD_MAX_ROWS)
        try:
            file = files.enter_context(path.open("rb"))
            size = path.stat().st_size if file.seekable() else 0  # a pipe is read as a whole
            options: dict[str, Any] = {"name": path.name, "country": country.upper(), "limits": limits}
            return by_size(lambda: stream(file, **options), size=size)
        except OSError as problem:
            raise CommandError(f"audience: {path} cannot be read ({problem.strerror}).") from None
        except AudienceError as problem:
            raise CommandError(f"audience: {problem}") from None

    def _print(self, send: Send, *, seconds: float, as_json: bool) -> None:
        states = send.counts()
        if as_json:
            line = {
                "send": send.pk,
                "state": send.state,
                "recipients": send.recipients,
                "rejected": send.rejected,
                "states": states,
                "seconds": round(seconds, 2),
            }
            self.stdout.write(json.dumps(line))
            return
        if (asked := queries.status_of(send)) is not None and asked.state == ApprovalState.OPEN:
            why = " ".join(rule["says"] for rule in asked.request.rules)
            people = "one person" if asked.needed == 1 else f"{asked.needed} people"
            self.stderr.write(f"It waits for the approval of {people} on its page. {why}")
        shown = ", ".join(f"{count} {state}" for state, count in states.items())
        self.stdout.write(
            f"Send {send.pk}: {send.recipients} recipients, {send.rejected} rejected; {shown} ({seconds:.1f} s)"
        )


def _wait(send: Send, *, say: Callable[[str], object]) -> None:
    """Until all messages are final, or nothing at all has moved for STILL seconds (counted from when it was due)."""
    before, moved, reported = _progress_of(send), time.monotonic(), -REPORT_EVERY
    while time.monotonic() - moved < STILL:
        work = _work_on(send)
        if work is not None and work.state == Preparation.State.FAILED:
            say(f"{work.trouble} Nothing of it was posted. Its page lets it go on.")
            return
        if work is None and not set(send.counts()) - FINAL:
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
    return send.due_at > datetime.now(tz=send.due_at.tzinfo)
