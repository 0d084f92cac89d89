"""What a request can be refused for: the codes of whole problems and of single errors, each with the page that explains it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from sms.values.problems import ProblemCode, rows_text

PAGES = "/api/problems/"


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """Of a whole request. `title` is the same for all of a kind."""

    status: int
    title: str
    way_out: str


KINDS = {
    code: ProblemKind(**about)
    for code, about in tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")).items()
}
ERRORS = frozenset(map(str, ProblemCode))


def page_of(code: str) -> str:
    """Its address as partners reach it."""
    return f"{settings.PUBLIC_URL.rstrip('/')}{PAGES}{code}"


def explained(code: str) -> dict[str, object] | None:
    """What the page of a code says, None for one that there is not. Some are codes of a whole problem and of a single error as well."""
    kind = KINDS.get(code)
    error = ProblemCode(code) if code in ERRORS else None
    if kind is None and error is None:
        return None
    shown: dict[str, object] = {"type": page_of(code), "code": code}
    if kind is not None:
        shown |= {"title": kind.title, "status": kind.status, "way_out": kind.way_out}
    if error is not None:
        shown |= {"error": error.meaning}
        if error.of_rows:
            shown |= {"row": rows_text(error, 1, "{field}")}
    return shown
