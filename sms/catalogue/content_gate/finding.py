"""One thing that the content gate says of a text."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["certain", "doubtful", "advice"]
CERTAIN: Level = "certain"  # a mistake: refused
DOUBTFUL: Level = "doubtful"  # likely one: a caution at every way in
ADVICE: Level = "advice"  # good practice: shown to people and in plans


@dataclass(frozen=True, slots=True)
class ContentFinding:
    """`code` is one of placeholder, reply, opt_out, shortener, look_alike, space, plain_link; `text` a sentence with the way out."""

    code: str
    text: str
    level: Level = DOUBTFUL
