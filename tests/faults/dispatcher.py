"""`manage.py dispatch` with a bug: `python -m tests.faults.dispatcher PLANT SECONDS` breaks the protocol in this process, then runs it."""

import os
import sys

import django
from django.core.management import call_command


def main() -> None:
    """Plant, then dispatch."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    from tests.faults import planted

    planted.PLANTS[sys.argv[1]]()
    call_command("dispatch", seconds=float(sys.argv[2]))


if __name__ == "__main__":
    main()
