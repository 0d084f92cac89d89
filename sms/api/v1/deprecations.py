"""Operations that will go: said in the headers of their answers (RFC 9745 and 8594) and in the OpenAPI document.

Called by `resource` and `schema`.
"""

import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from django.utils.http import http_date

NOTICE = timedelta(days=365)
CHANGES = "/api/docs/changelog/"


@dataclass(frozen=True, slots=True)
class Deprecation:
    since: date
    sunset: date

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Deprecation": f"@{_midnight(self.since)}",
            "Sunset": http_date(_midnight(self.sunset)),
            "Link": f'<{CHANGES}>; rel="deprecation"; type="text/html"',
        }


def read(table: str) -> dict[str, Deprecation]:
    """By method and path. Raises ValueError where the notice is shorter than was promised."""
    found = {operation: Deprecation(**dates) for operation, dates in tomllib.loads(table).items()}
    for operation, one in found.items():
        if one.sunset - one.since < NOTICE:
            raise ValueError(
                f"{operation} goes on {one.sunset}, less than {NOTICE.days} days after {one.since}."
            )
    return found


DEPRECATED = read(Path(__file__).with_name("deprecations.toml").read_text("utf-8"))


def deprecation_of(method: str, path: str) -> Deprecation | None:
    """`path` as the document has it, or as a route of Django."""
    if not DEPRECATED:
        return None
    plain = "/" + re.sub(r"<\w+:pk>", "{id}", path).lstrip("/")
    return DEPRECATED.get(f"{'GET' if method == 'HEAD' else method} {plain}")


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())
