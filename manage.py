#!/usr/bin/env python
"""The command line of Textdesk: `python manage.py up --demo` starts everything."""

import os
import sys


def main() -> None:
    """Run one management command; an unusable environment is one sentence, not a traceback."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this very file is what an old Python meets first
        sys.exit(f"Textdesk needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    from django.core.management import execute_from_command_line

    from portal.env import WrongVariable

    try:
        execute_from_command_line(sys.argv)
    except WrongVariable as problem:
        sys.exit(f"Textdesk cannot start: {problem}")


if __name__ == "__main__":
    main()
