"""Only what is the person's: cells and lines without the numbers of other people."""

from django.utils.translation import gettext, gettext_noop

from sms.values.msisdn.cells import without_numbers
from sms.values.msisdn.mention import Mention, masked

ANOTHER = gettext_noop("[another number]")
LONGEST = 4000  # characters of one text


def own_text(text: str, mention: Mention) -> str:
    """A text that names the person, with every other thing that looks like a number left out; the beginning of a very long one."""
    whole = mention.replaced(text, str, lambda others: masked(others, put=gettext(ANOTHER)))
    return whole if len(whole) <= LONGEST else gettext("%(text)s… (shortened)") % {"text": whole[:LONGEST]}


def own_cells(cells: dict[str, str], mention: Mention, country: str) -> dict[str, str]:
    """The person's own row. A cell that is another person's number is left out."""
    return {name: _own_cell(value, mention, country) for name, value in cells.items()}


def _own_cell(value: str, mention: Mention, country: str) -> str:
    if sum(char.isdigit() for char in value) < 7:
        return value
    if mention.found(value):
        return own_text(value, mention)
    return without_numbers(value, country=country, put=gettext(ANOTHER))


def own_parts(lines: list[str], mention: Mention, country: str) -> list[str]:
    """Pasted lines can hold several numbers: of each only the person's own part."""
    parts = [part.strip() for line in lines for part in line.replace(";", ",").split(",")]
    return [part for part in parts if part and _own_cell(part, mention, country) != gettext(ANOTHER)]
