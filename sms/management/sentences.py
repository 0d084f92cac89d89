"""What commands that work by themselves say to whoever started them: `prepare`, `up` and the sandbox."""

import json
import sys
from datetime import UTC, datetime
from typing import Any

from django.conf import settings


def say(text: str, *, to: Any = None) -> None:
    """As it stands; with LOG_FORMAT=json each line as one of the log, so that whatever collects the output can read it all.

    Unlike the log it hides nothing: the password of a demo and the code of the first admin are there to be read.
    """
    to = to or sys.stdout
    for line in filter(None, text.splitlines()):
        of = {"event": line, "level": "info", "timestamp": datetime.now(UTC).isoformat()}
        to.write(f"{json.dumps(of) if settings.LOG_FORMAT == 'json' else line}\n")
    to.flush()
