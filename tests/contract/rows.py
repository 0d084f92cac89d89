"""What the page `docs/webex-connect.md` is made of: rows with examples that are executed. Made into words by `document`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from tests.contract.world import World


class Example(Protocol):
    """One thing that is said and what comes of it."""

    def shown(self) -> str:
        """In Markdown, for a cell of the table."""

    def run(self, world: World) -> None:
        """Raises AssertionError where it does not come so."""


@dataclass(frozen=True, slots=True)
class Row:
    """A field, a limit, a code, a reply or a receipt. `cells` are those between its name and its examples."""

    name: str
    cells: tuple[str, ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A table under its heading."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    before: str = ""
    after: str = ""


def row(name: str, *cells: str | Example) -> Row:
    """Texts are cells, everything else is an example."""
    texts = tuple(one for one in cells if isinstance(one, str))
    return Row(name, texts, tuple(one for one in cells if not isinstance(one, str)))


def json_shown(value: Any) -> str:
    """As JSON, with what repeats itself said as a product."""
    return "".join(_shown(value))


def _shown(value: Any) -> Iterator[str]:
    match value:
        case str() if len(value) > 40 and len(set(value)) == 1:
            yield f'"{value[0]}" × {len(value)}'
        case list() if len(value) > 4 and all(one == value[0] for one in value):
            yield f"[{json_shown(value[0])} × {len(value)}]"
        case dict():
            fields = ", ".join(f'"{name}": {json_shown(one)}' for name, one in value.items())
            yield f"{{{fields}}}"
        case list():
            yield f"[{', '.join(map(json_shown, value))}]"
        case bool() | None:
            yield {True: "true", False: "false", None: "null"}[value]
        case int() | float():
            yield str(value)
        case _:
            yield f'"{value}"'.replace("\r", "\\r").replace("\n", "\\n")
