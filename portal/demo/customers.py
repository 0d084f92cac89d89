"""Whom the demo writes to: people who do not exist, with numbers that networks keep for drama and give to nobody.

The numbers of the sandbox's scripted outcomes (+44 7700 900001 to 012) are left to those who try them out.
"""

from dataclasses import dataclass
from random import Random

_FIRST = (
    "Amara Ben Chloe Daniel Ella Farah George Hannah Imran Jade Kofi Lucy Mateo Nadia Oliver Priya Quentin Rosa Sam "
    "Thandi Una Victor Wren Yusuf Zoe Aoife Bogdan Carys Dylan Esme"
).split()
_LAST = (
    "Adeyemi Baker Clarke Dhillon Evans Fraser Green Hughes Ivanova Jones Khan Lewis Murphy Nowak Okafor Patel Quinn "
    "Roberts Smith Thomas Usman Vaughan Walker Xu Young"
).split()
_NUMBERS = (
    *(f"+447700900{last}" for last in range(100, 380)),
    *(f"+3363998{last:04}" for last in range(1000, 1030)),
    *(f"+4917139200{last:02}" for last in range(20, 40)),
)


@dataclass(frozen=True, slots=True)
class Customer:
    name: str
    msisdn: str


def everybody(chance: Random) -> list[Customer]:
    """The same people for the same seed."""
    names = [f"{first} {last}" for first in _FIRST for last in _LAST]
    chosen = chance.sample(names, k=len(_NUMBERS))
    return [Customer(name, number) for name, number in zip(chosen, _NUMBERS, strict=True)]
