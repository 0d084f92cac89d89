"""The golden files beside this module: shapes of the provider's documents with values of our own, one JSON document each."""

import json
import pathlib
from typing import Any

FOLDER = pathlib.Path(__file__).parent


def names(kind: str) -> list[str]:
    """Names of all files of a kind: request, reply, receipt or inbound."""
    return sorted(path.stem for path in FOLDER.glob(f"{kind}_*.json"))


def value(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def body(name: str) -> bytes:
    """As it would be on the wire: compact, in the order of the file."""
    return json.dumps(value(name), ensure_ascii=False, separators=(",", ":")).encode()
