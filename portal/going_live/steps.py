"""The steps of going live, read from `steps.toml`."""

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the table; its comments say what each column is."""

    key: str
    title: str
    do: str
    wait: str = ""
    page: str = ""
    action: str = ""
    holds: tuple[str, ...] = ()
    confirm: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    title: str
    steps: tuple[Step, ...]


def _read() -> tuple[Part, ...]:
    table = tomllib.loads(Path(__file__).with_name("steps.toml").read_text("utf-8"))
    return tuple(
        Part(
            part["title"], tuple(Step(**row | {"holds": tuple(row.get("holds", ()))}) for row in part["step"])
        )
        for part in table["part"]
    )


PARTS = _read()
STEPS = {step.key: step for part in PARTS for step in part.steps}
