"""`manage.py prepare`: everything a desk needs before its processes start; safe to run again. `manage.py up` runs it by itself."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from sms.models import FactFold
from sms.worker import tasks


class Command(BaseCommand):
    """Migrations, the cache table, static files, the one schedule, and facts of what was there before there were facts."""

    help = "Make database, cache table, static files and the schedule ready. Run it at every deployment."

    def handle(self, *args: Any, **options: Any) -> None:
        """In the order in which they need each other."""
        settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        if not settings.DEBUG:
            call_command("collectstatic", interactive=False, verbosity=0)
        tasks.ensure_schedule()
        if not FactFold.objects.filter(rebuilt_at__isnull=False).exists():
            call_command("rebuild_facts", verbosity=0)
