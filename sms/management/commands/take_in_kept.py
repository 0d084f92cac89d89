"""`manage.py take_in_kept`: what waited on this host's disk and could not be brought in, taken in once more."""

from typing import Any

from django.core.management.base import BaseCommand

from sms.inbound import kept_files


class Command(BaseCommand):
    help = "Take in the files of VAR_DIR/spool and VAR_DIR/inbound that end in .kept, of this host and all services."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(str(kept_files.take_in()))
