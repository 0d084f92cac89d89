"""Reads `refusals.txt`, and says how well answers are read: precision and recall of what is heeded, and of what a person gets to see."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sms.inbound.optouts.keywords import read

FILE = Path(__file__).with_name("refusals.txt")


@dataclass(frozen=True)
class Answer:
    label: str  # stop, maybe, other
    language: str
    text: str

    @property
    def read_as(self) -> str:
        meaning = read(self.text).meaning
        return meaning if meaning in ("stop", "maybe") else "other"


def answers() -> list[Answer]:
    lines = FILE.read_text("utf-8").splitlines()
    parts = [line.split(" | ", 2) for line in lines if line and not line.startswith("# ")]
    return [Answer(label, language, text.replace("\\n", "\n")) for label, language, text in parts]


@dataclass(frozen=True)
class ReadingFigures:
    """`heeded`: refusals that are opt-outs at once. `shown`: those and what may be one, heeded or set before a person."""

    sentences: int
    languages: int
    heeded_precision: float
    heeded_recall: float
    shown_precision: float
    shown_recall: float


def figures(of: list[Answer]) -> ReadingFigures:
    read_as = {id(one): one.read_as for one in of}

    def rates(meanings: tuple[str, ...]) -> Iterator[float]:
        found = [one for one in of if read_as[id(one)] in meanings]
        wanted = [one for one in of if one.label in meanings]
        right = sum(one.label in meanings for one in found)
        yield right / len(found)
        yield right / len(wanted)

    languages = len({one.language for one in of})
    return ReadingFigures(len(of), languages, *rates(("stop",)), *rates(("stop", "maybe")))
