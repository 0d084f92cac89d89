"""What /metrics says, read as Prometheus reads it."""

import re

from django.test import Client

LINE = re.compile(r'([a-z_]+)(?:\{([a-z_]+="(?:[^"\\]|\\.)*"(?:,[a-z_]+="(?:[^"\\]|\\.)*")*)\})? (\S+)')


def scraped() -> dict[str, float]:
    """Values by their series."""
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    found = {}
    for line in answer.content.decode().splitlines():
        if not line.startswith("#"):
            match = LINE.fullmatch(line)
            assert match, line
            found[line.rpartition(" ")[0]] = float(match[3])
    return found
