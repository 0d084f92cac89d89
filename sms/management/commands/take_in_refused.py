"""`manage.py take_in_refused`: what was refused at the addresses of Webex Connect, taken in after a mistake with a secret or an address."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sms.inbound import refused
from sms.management.arguments import service_of
from sms.models import Actor, CameTo, PostKind


class Command(BaseCommand):
    help = "Take in refused receipts and incoming SMS for a service, or list or delete what is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--service", required=True, help="its short name")
        parser.add_argument(
            "--kind", choices=PostKind.values, help="only receipts, or only incoming SMS (default: both)"
        )
        parser.add_argument(
            "--came-to",
            choices=CameTo.values,
            default="",
            help="only those that came to such an address; incoming SMS at unknown ones, which anybody can post, are taken in only so",
        )
        parser.add_argument(
            "--unknown",
            action="store_true",
            help="those that came to an address that no service has, where we cannot tell which service they are for",
        )
        instead = parser.add_mutually_exclusive_group()
        instead.add_argument("--list", action="store_true", help="say what is kept, and take in nothing")
        instead.add_argument(
            "--delete", action="store_true", help="delete them for good, and take in nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        service = service_of(options["service"])
        kinds = [kind for kind in PostKind if options["kind"] in (None, kind)]
        if options["list"]:
            kept = refused.kept_of(None if options["unknown"] else service)
            found = [row for row in kept if row.kind in kinds and options["came_to"] in ("", row.came_to)]
            for row in found:
                self.stdout.write(f"{row}, {row.first:%Y-%m-%d %H:%M} to {row.last:%Y-%m-%d %H:%M} UTC")
            if not found:
                self.stdout.write("Nothing is kept.")
            return
        by, which = Actor.system("cli"), {name: options[name] for name in ("came_to", "unknown")}
        for kind in kinds:
            if options["delete"]:
                count = refused.delete(service, kind=kind, by=by, **which)
                self.stdout.write(f"{count} refused {kind.label} were deleted.")
                continue
            taken = refused.take_in(service, kind=kind, by=by, **which)
            self.stdout.write(f"{taken.posts} refused {kind.label} were taken in, {taken.new} of them new.")
