"""The command line: `python manage.py COMMAND` in a checkout, `textdesk COMMAND` where the package is installed."""

import os
import sys

from setproctitle import setproctitle

from sms import VERSION


def main() -> None:
    """Run one management command; an unusable environment is one sentence, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    if sys.argv[1:] == ["--version"]:
        print(VERSION)  # noqa: T201 - what was asked for
        return
    if sys.argv[1:]:
        setproctitle(f"textdesk {sys.argv[1]}")  # without what follows, which may be secret
    from django.core.management import execute_from_command_line

    from portal.env import WrongVariable, env_str

    try:
        if env_str("LOG_FORMAT") == "json":  # settings, which say so too, may be what fails
            from portal import logs

            logs.begin_in_json()
        execute_from_command_line(sys.argv)
    except WrongVariable as problem:
        sys.exit(f"Textdesk cannot start: {problem}")
