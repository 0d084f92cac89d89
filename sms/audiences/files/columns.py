"""Which column holds the numbers, and what the columns are called.

The rule (docs: Numbers): the column headed like msisdn, mobile, phone, telephone, cell or number, or as one says it in a language of
the pages, in any case, with accents or without, and with words around it; failing that the one column whose cells read as numbers;
failing that an error that lists the headings. Called by `reading`.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sms.audiences.files.errors import AudienceError
from sms.values.csv import MARK
from sms.values.problems import ProblemCode
from sms.values.text import LONGEST_NAME, match_key, placeholders
from sms.words import KeptSentence, gettext, gettext_noop, ngettext

# Surest first: beside "Mobile", a "Phone" is likely a landline and a "Number" anything. Without accents, as headings are compared.
_WORDS = (
    ("msisdn",),
    ("mobile", "gsm", "portable", "movil", "mobil", "handy", "جوال", "محمول", "موبايل"),
    ("cell", "cellulaire", "celular"),
    ("phone", "tel", "telephone", "telefono", "telefon", "هاتف", "تليفون"),
    ("number", "numero", "nummer", "rufnummer", "رقم"),
)
_ASIDE = (len(_WORDS) - 1, True)  # only the weakest word, and other words around it
_ANY = "|".join(sorted((word for words in _WORDS for word in words), key=len, reverse=True))
_WORD = re.compile(rf"(?:ال)?(?:{_ANY})(?:s|es|n)?")  # with the article of Arabic
_COMPOUND = re.compile(rf"(?:{_ANY}|nos?|nr|num)+(?:s|es|n)?")  # phonenumber, mobileno, Handynummern
_BRACKETS = re.compile(r"[()]")
_TOKEN = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

Judge = Callable[[str], bool]  # whether a cell reads as a number

NO_SUCH_COLUMN = KeptSentence(
    gettext_noop("There is no column “%(column)s”. The headings are: %(headings)s.")
)
SEVERAL_COULD = KeptSentence(
    gettext_noop(
        "More than one column could hold the numbers. Choose the column, or head it “Mobile number”. The headings are: %(headings)s."
    )
)
SEVERAL_COULD_ON_SHEET = KeptSentence(
    gettext_noop(
        "More than one column could hold the numbers on the sheet “%(sheet)s”. "
        "Choose the column, or head it “Mobile number”. The headings are: %(headings)s."
    )
)
SEVERAL_READ = KeptSentence(
    gettext_noop(
        "More than one column reads as numbers. Choose the column, or head it “Mobile number”. The headings are: %(headings)s."
    )
)
SEVERAL_READ_ON_SHEET = KeptSentence(
    gettext_noop(
        "More than one column reads as numbers on the sheet “%(sheet)s”. "
        "Choose the column, or head it “Mobile number”. The headings are: %(headings)s."
    )
)
NONE_FOUND = KeptSentence(
    gettext_noop(
        "No column was found that holds the numbers. Choose the column, or head it “Mobile number”. The headings are: %(headings)s."
    )
)
NONE_FOUND_ON_SHEET = KeptSentence(
    gettext_noop(
        "No column was found that holds the numbers on the sheet “%(sheet)s”. "
        "Choose the column, or head it “Mobile number”. The headings are: %(headings)s."
    )
)


@dataclass(frozen=True, slots=True)
class Columns:
    """`names` by position ("" is a column without heading or data, never read); `at` is the position of the numbers."""

    names: tuple[str, ...]
    at: int
    headed: bool

    @property
    def headings(self) -> list[str]:
        return [name for name in self.names if name]


def find_columns(
    sample: Sequence[list[str]],
    *,
    column: str | None,
    reads_as_number: Judge,
    place: str = "",
    is_headed: bool | None = None,
) -> Columns:
    """Decide from the first rows (never empty). `column` is a person's choice, `is_headed` whether the first holds headings, if known."""
    first = [cell.strip().lstrip(MARK).strip() for cell in sample[0]]
    headed = (
        is_headed
        if is_headed is not None
        else _is_headed(first, column=column, reads_as_number=reads_as_number)
    )
    body = sample[1:] if headed else sample
    width = max(map(len, sample)) if not headed else len(first)
    filled = [any(at < len(row) and row[at].strip() for row in body) for at in range(width)]
    if headed:
        names = _unique([name or (lettered(at) if filled[at] else "") for at, name in enumerate(first)])
        if column:
            return Columns(names, _chosen(names, column), headed)
        return Columns(names, _found(names, body, reads_as_number, place), headed)
    # the column that reads as numbers most often, the first of equals
    at = max(range(width), key=lambda at: (_count(body, at, reads_as_number), _looks(body, at), -at))
    names = tuple("number" if i == at else lettered(i) if filled[i] else "" for i in range(width))
    if column:
        at = _chosen(names, column)
    return Columns(names, at, headed)


def _is_headed(first: Sequence[str], *, column: str | None, reads_as_number: Judge) -> bool:
    """Whether the first row names columns. A first number with a typing error must not pass for a heading and vanish."""
    if column and match_key(column) in map(match_key, filter(None, first)):
        return True
    if any(heading_rank(name) is not None for name in first):
        return True
    return not any(is_mostly_digits(cell) or reads_as_number(cell) for cell in first if cell)


def is_mostly_digits(cell: str) -> bool:
    digits = sum(map(str.isdecimal, cell))
    return digits >= 5 and digits * 5 >= len(cell) * 3


def heading_rank(heading: str) -> tuple[int, bool] | None:
    """How surely a heading names the numbers (smaller is surer), or None where it does not at all."""
    tokens = _TOKEN.findall(_without_accents(_CAMEL.sub(" ", heading).lower()))
    ranks = []
    for token in tokens:
        if _WORD.fullmatch(token) or (_COMPOUND.fullmatch(token) and token not in {"no", "nos", "nr", "num"}):
            ranks += [rank for rank, words in enumerate(_WORDS) if any(word in token for word in words)]
    return (min(ranks), len(tokens) > 1) if ranks else None


def _without_accents(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))


def names_numbers(heading: str) -> bool:
    return heading_rank(heading) is not None


def _found(names: Sequence[str], body: Sequence[list[str]], reads_as_number: Judge, place: str) -> int:
    shares = [_share(body, at, reads_as_number) if name else 0.0 for at, name in enumerate(names)]
    ranked = [
        (rank, at) for at, name in enumerate(names) if name and (rank := heading_rank(name)) is not None
    ]
    reading = [at for at, share in enumerate(shares) if share >= 0.5]
    best = min(ranked)[0] if ranked else None
    rivals = [at for rank, at in ranked if rank == best]
    # "Order number" beside a column full of mobiles under a name of its own is not where to look.
    aside = best == _ASIDE and reading and not any(shares[at] for at in rivals)
    if rivals and not aside:
        likely = [at for at in rivals if shares[at]] if len(rivals) > 1 else rivals
        if len(likely) == 1:
            return likely[0]
        raise _no_column(names, place, SEVERAL_COULD, SEVERAL_COULD_ON_SHEET)
    if len(reading) == 1:
        return reading[0]
    if reading:
        raise _no_column(names, place, SEVERAL_READ, SEVERAL_READ_ON_SHEET)
    raise _no_column(names, place, NONE_FOUND, NONE_FOUND_ON_SHEET)


def _looks(body: Sequence[list[str]], at: int) -> int:
    return sum(at < len(row) and is_mostly_digits(row[at].strip()) for row in body)


def _count(body: Sequence[list[str]], at: int, reads_as_number: Judge) -> int:
    return sum(at < len(row) and bool(row[at].strip()) and reads_as_number(row[at]) for row in body)


def _share(body: Sequence[list[str]], at: int, reads_as_number: Judge) -> float:
    filled = sum(at < len(row) and bool(row[at].strip()) for row in body)
    return _count(body, at, reads_as_number) / filled if filled else 0.0


def _chosen(names: Sequence[str], column: str) -> int:
    wanted = column.strip()
    for same in (str.strip, match_key):
        for at, name in enumerate(names):
            if name and same(name) == same(wanted):
                return at
    says = gettext(NO_SUCH_COLUMN.text) % {"column": wanted, "headings": _listed(names)}
    raise AudienceError(ProblemCode.UNKNOWN_COLUMN, says)


def _no_column(
    names: Sequence[str], place: str, anywhere: KeptSentence, on_sheet: KeptSentence
) -> AudienceError:
    says = gettext((on_sheet if place else anywhere).text) % {"sheet": place, "headings": _listed(names)}
    return AudienceError(ProblemCode.NO_COLUMN, says)


def _listed(names: Sequence[str]) -> str:
    shown = [name if len(name) <= 40 else name[:39] + "…" for name in names if name]
    if (more := len(shown) - 30) > 0:
        says = ngettext("%(names)s and %(n)s more", "%(names)s and %(n)s more", more)
        return says % {"names": ", ".join(shown[:30]), "n": more}
    return ", ".join(shown)


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """A second "Name" becomes "Name (2)"; so does "name", since a placeholder would find either. Each can be written as one."""
    names = [_writable(name) or (lettered(at) if name else "") for at, name in enumerate(names)]
    taken = set(map(match_key, filter(None, names)))
    seen: set[str] = set()
    unique = []
    for name in names:
        given, copy = name, 2
        if name and match_key(name) in seen:
            while match_key(given := f"{name} ({copy})") in taken | seen:
                copy += 1
        if given:
            seen.add(match_key(given))
        unique.append(given)
    return tuple(unique)


def _writable(name: str) -> str:
    """A heading as it can stand in $( ): in one line, its brackets in pairs, and not longer than a name may be."""
    if not name or placeholders(f"$({name})") == [name]:
        return name
    plain = " ".join(name.split())[:LONGEST_NAME].strip()
    return plain if placeholders(f"$({plain})") == [plain] else _BRACKETS.sub("", plain).strip()


def lettered(at: int) -> str:
    letters = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        letters = chr(65 + rest) + letters
    return f"column {letters}"
