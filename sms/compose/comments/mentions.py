"""The people whom a comment names with @: by e-mail address, by what stands before its @, or by their name without spaces. Pure."""

import re
from collections.abc import Iterable
from typing import Any

_NAMED = re.compile(r"(?<![\w@.])@([\w.+-]+(?:@[\w.-]+)?)")


def mentioned(text: str, people: Iterable[Any]) -> list[Any]:
    """Each once, in the order of `people`. A name that several of them have names nobody: the page lets one of them be chosen."""
    written = {name.casefold().rstrip(".-") for name in _NAMED.findall(text)}
    by_name: dict[str, set[Any]] = {}
    everybody = list(people)
    for one in everybody:
        for name in _names_of(one):
            by_name.setdefault(name, set()).add(one)
    found = {next(iter(named)) for name in written if len(named := by_name.get(name, set())) == 1}
    return [one for one in everybody if one in found]


def _names_of(user: Any) -> set[str]:
    email = user.email.casefold()
    whole = "".join(user.get_full_name().split()).casefold()
    return {email, email.partition("@")[0], *filter(None, [whole])}
