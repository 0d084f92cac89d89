#!/usr/bin/env python
"""The command line of Textdesk: `python manage.py up --demo` starts everything."""

import sys


def main() -> None:
    """Run one management command."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this very file is what an old Python meets first
        sys.exit(f"Textdesk needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    from portal.command_line import main as run

    run()


if __name__ == "__main__":
    main()
