"""What can be wrong with an order, a file or a row: one list of codes, and the sentences that are said of many rows at once.

Pages, `/api/v1/`, `/v2/messages` and stored rejects all use these codes; what a program or a page does about a problem follows from its
code, never from the words of its sentence. `docs/partners/codes.md` lists them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from sms.words import ngettext, number


class ProblemCode(StrEnum):
    """What kind of problem it is. `meaning` is for the documents."""

    meaning: str

    def __new__(cls, value: str, meaning: str = "") -> "ProblemCode":
        made = str.__new__(cls, value)
        made._value_, made.meaning = value, meaning
        return made

    @property
    def of_rows(self) -> bool:
        """Whether it is said of rejected rows."""
        return self in _OF_ROWS

    # what was given
    INVALID = "invalid", "The value has another form than it needs."
    REQUIRED = "required", "Something has to be given here."
    NULL = "null", "It is null. Leave it out, or give a value."
    UNKNOWN_FIELD = "unknown_field", "There is no field of this name."
    INVALID_CHOICE = "invalid_choice", "The value is none of those that are possible."
    OUT_OF_RANGE = "out_of_range", "The number is too small or too large."
    TOO_MANY = "too_many", "There are more of these than are allowed."
    ONLY_ONE = "only_one", "Two things are given of which only one is possible."
    NEEDS_ANOTHER = "needs_another", "It has no effect, or is not allowed, without another field."
    # what it refers to
    NOT_USABLE = "not_usable", "The service has no such thing, or it is archived or switched off."
    NOT_CONNECTED = "not_connected", "The service is not connected to Webex Connect yet."
    NOT_PUBLISHED = "not_published", "The template has nothing published in this language."
    DOMAIN_BROKEN = "domain_broken", "Links on this short-link domain would not work."
    ERASED = "erased", "The rows of the audience were erased."
    TAKEN = "taken", "The name or the key is in use already."
    IN_USE = "in_use", "It is used, so it cannot be changed or deleted."
    REFERENCE_USED = "reference_used", "Another send has this client reference."
    ALREADY_SENT = "already_sent", "The same was sent before. A person confirms that it is meant."
    CHANGED = "changed", "It was changed since it was shown."
    # when
    TIME_PASSED = "time_passed", "The time has passed."
    EXPIRES_TOO_EARLY = "expires_too_early", "It would expire before it is sent."
    # the file, or all rows
    NOT_A_SPREADSHEET = "not_a_spreadsheet", "The file is neither a CSV nor a workbook."
    ARCHIVE = "archive", "The file is an archive that holds other files."
    UNREADABLE = "unreadable", "The workbook is damaged."
    PROTECTED = "protected", "The workbook is protected with a password."
    ZIP_BOMB = "zip_bomb", "The workbook unpacks to far more than its size."
    TOO_LARGE = "too_large", "The file or the text has too many bytes."
    TOO_MANY_ROWS = "too_many_rows", "The file has too many rows."
    NO_COLUMN = "no_column", "No column was found that holds the numbers, or more than one."
    UNKNOWN_COLUMN = "unknown_column", "There is no column of this name."
    HIDDEN_ROWS = "hidden_rows", "Rows of the file are hidden, and it is not said whether they count."
    HEADING_ROW = "heading_row", "It is not clear which row holds the headings, or that row is not there."
    NO_RECIPIENTS = "no_recipients", "No row is left that can be sent to."
    NO_SUCH_ROW = "no_such_row", "This row gets no message."
    NOT_READY = "not_ready", "The rows are still being read or checked."
    INTERRUPTED = "interrupted", "The work on the rows broke off. It can go on where it stopped."
    # a number
    EMPTY = "empty", "Nothing is there: no number in a row, no row in a file."
    NOT_A_NUMBER = "not_a_number", "It is something other than a number."
    TOO_SHORT = "too_short", "The number has too few digits, the field too few characters."
    TOO_LONG = "too_long", "The number has too many digits, the field too many characters."
    IMPOSSIBLE = "impossible", "No country has such a number."
    NO_COUNTRY = "no_country", "The number has no country code, and no country is given."
    PREMIUM = "premium", "It is a premium-rate number, which gets no text."
    SHORTENED = "shortened", "Excel shortened the number, and its last digits are lost."
    TWO_NUMBERS = "two_numbers", "There is more than one number."
    FORMULA = "formula", "The cell holds a formula instead of a number."
    FORMULA_ERROR = "formula_error", "The cell shows an error instead of a number."
    DATE = "date", "The cell holds a date instead of a number."
    # the rest of a row
    DUPLICATE = "duplicate", "The same number is in an earlier row."
    BROKEN_TEXT = "broken_text", "A cell holds a character that cannot be read."
    BROKEN_QUOTES = "broken_quotes", "The quotation marks of a row do not pair up."
    CELL_TOO_LONG = "cell_too_long", "A cell has too many characters."
    TOO_MANY_CELLS = (
        "too_many_cells",
        "The row has more cells than there are columns, or than a spreadsheet has.",
    )
    BAD_TIME_ZONE = "bad_time_zone", "The time zone is not one of a place, such as Europe/London."
    # what would be sent
    MISSING_VALUE = "missing_value", "Nothing fills a placeholder."
    VALUE_DOES_NOT_FIT = (
        "value_does_not_fit",
        "A value does not fit what the template says of its placeholder.",
    )
    FOREIGN_PLACEHOLDER = (
        "foreign_placeholder",
        "The text has a placeholder as another product writes it, or one that does not end.",
    )
    PLACEHOLDER_IN_VALUE = "placeholder_in_value", "A value reads like a placeholder."
    TEXT_TOO_LONG = "text_too_long", "The text has too many characters for the service."
    OPTED_OUT = "opted_out", "The person opted out of messages."
    SENDER_REFUSED = "sender_refused", "The country of the number does not take this sender."
    LEFT_OUT = "left_out", "The number is of a kind that the send leaves out; `field` names it."
    # what may be spent
    CAP_REACHED = (
        "cap_reached",
        "A spend cap of the day has too little left. The sentence says which, and when it is free again.",
    )
    NUMBER_CAP = "number_cap_reached", "The number has had as many messages as one number may get in a day."
    COUNTRY_NOT_ALLOWED = "country_not_allowed", "The service does not write to the country of the number."


# Translators: field is the name of a placeholder of the text; after “kind of number” or “not allowed” it is a code.
_OF_ROWS: dict[ProblemCode, Callable[[int], str]] = {
    ProblemCode.EMPTY: lambda n: ngettext("%(n)s row has no number", "%(n)s rows have no number", n),
    ProblemCode.NOT_A_NUMBER: lambda n: ngettext(
        "%(n)s row holds something other than a number", "%(n)s rows hold something other than a number", n
    ),
    ProblemCode.TOO_SHORT: lambda n: ngettext(
        "%(n)s row has a number with too few digits", "%(n)s rows have a number with too few digits", n
    ),
    ProblemCode.TOO_LONG: lambda n: ngettext(
        "%(n)s row has a number with too many digits", "%(n)s rows have a number with too many digits", n
    ),
    ProblemCode.IMPOSSIBLE: lambda n: ngettext(
        "%(n)s row has a number that cannot exist", "%(n)s rows have a number that cannot exist", n
    ),
    ProblemCode.NO_COUNTRY: lambda n: ngettext(
        "%(n)s row has a number without a country code", "%(n)s rows have a number without a country code", n
    ),
    ProblemCode.PREMIUM: lambda n: ngettext(
        "%(n)s row has a premium-rate number", "%(n)s rows have a premium-rate number", n
    ),
    ProblemCode.SHORTENED: lambda n: ngettext(
        "%(n)s row has a number that Excel shortened", "%(n)s rows have a number that Excel shortened", n
    ),
    ProblemCode.TWO_NUMBERS: lambda n: ngettext(
        "%(n)s row holds more than one number", "%(n)s rows hold more than one number", n
    ),
    ProblemCode.FORMULA: lambda n: ngettext(
        "%(n)s row holds a formula instead of a number", "%(n)s rows hold a formula instead of a number", n
    ),
    ProblemCode.FORMULA_ERROR: lambda n: ngettext(
        "%(n)s row shows an error instead of a number", "%(n)s rows show an error instead of a number", n
    ),
    ProblemCode.DATE: lambda n: ngettext(
        "%(n)s row holds a date instead of a number", "%(n)s rows hold a date instead of a number", n
    ),
    ProblemCode.DUPLICATE: lambda n: ngettext(
        "%(n)s row repeats an earlier number", "%(n)s rows repeat an earlier number", n
    ),
    ProblemCode.BROKEN_TEXT: lambda n: ngettext(
        "%(n)s row holds a character that cannot be read",
        "%(n)s rows hold a character that cannot be read",
        n,
    ),
    ProblemCode.BROKEN_QUOTES: lambda n: ngettext(
        "%(n)s row has quotation marks that do not pair up",
        "%(n)s rows have quotation marks that do not pair up",
        n,
    ),
    ProblemCode.CELL_TOO_LONG: lambda n: ngettext(
        "%(n)s row has a cell that is too long", "%(n)s rows have a cell that is too long", n
    ),
    ProblemCode.TOO_MANY_CELLS: lambda n: ngettext(
        "%(n)s row has more cells than there are columns",
        "%(n)s rows have more cells than there are columns",
        n,
    ),
    ProblemCode.BAD_TIME_ZONE: lambda n: ngettext(
        "%(n)s row has an unknown time zone", "%(n)s rows have an unknown time zone", n
    ),
    ProblemCode.MISSING_VALUE: lambda n: ngettext(
        "%(n)s row has no value for $(%(field)s)", "%(n)s rows have no value for $(%(field)s)", n
    ),
    ProblemCode.VALUE_DOES_NOT_FIT: lambda n: ngettext(
        "%(n)s row has a value that does not fit $(%(field)s)",
        "%(n)s rows have a value that does not fit $(%(field)s)",
        n,
    ),
    ProblemCode.PLACEHOLDER_IN_VALUE: lambda n: ngettext(
        "%(n)s row has a value that reads like a placeholder",
        "%(n)s rows have a value that reads like a placeholder",
        n,
    ),
    ProblemCode.TEXT_TOO_LONG: lambda n: ngettext(
        "%(n)s row makes a text that is too long", "%(n)s rows make a text that is too long", n
    ),
    ProblemCode.OPTED_OUT: lambda n: ngettext(
        "%(n)s row is for a person who opted out", "%(n)s rows are for people who opted out", n
    ),
    ProblemCode.SENDER_REFUSED: lambda n: ngettext(
        "%(n)s row goes to a country that does not take this sender",
        "%(n)s rows go to a country that does not take this sender",
        n,
    ),
    ProblemCode.LEFT_OUT: lambda n: ngettext(
        "%(n)s row is left out for the kind of number: %(field)s",
        "%(n)s rows are left out for the kind of number: %(field)s",
        n,
    ),
    ProblemCode.NUMBER_CAP: lambda n: ngettext(
        "%(n)s row is for a number that already gets enough messages that day",
        "%(n)s rows are for numbers that already get enough messages that day",
        n,
    ),
    ProblemCode.COUNTRY_NOT_ALLOWED: lambda n: ngettext(
        "%(n)s row goes to a country that is not allowed: %(field)s",
        "%(n)s rows go to a country that is not allowed: %(field)s",
        n,
    ),
}
_OF_FRAMEWORKS = {
    "blank": ProblemCode.REQUIRED,
    "max_length": ProblemCode.TOO_LONG,
    "max_string_length": ProblemCode.TOO_LONG,
    "min_length": ProblemCode.TOO_SHORT,
    "max_value": ProblemCode.OUT_OF_RANGE,
    "min_value": ProblemCode.OUT_OF_RANGE,
    **{code.value: code for code in ProblemCode},
}


def code_of(name: str | None) -> ProblemCode:
    """Our code for one of Django or DRF, where ours has another name or there is none."""
    return _OF_FRAMEWORKS.get(name or "", ProblemCode.INVALID)


def _plainly(n: int) -> str:
    return ngettext("%(n)s row", "%(n)s rows", n)


def rows_text(code: ProblemCode, count: int, field: str = "") -> str:
    """What is said of all rows that were rejected for one reason: “432 rows repeat an earlier number”."""
    return _OF_ROWS.get(code, _plainly)(count) % {"n": number(count), "field": field}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct. `field` is where; `row` counts from 1, 0 where there is none; `value` is what stood there.

    `choices` are what could stand there instead, the likeliest first, where they are words that can be listed.
    """

    code: ProblemCode
    field: str
    text: str
    row: int = 0
    value: str = ""
    choices: tuple[str, ...] = ()

    def at(self, field: str) -> "Problem":
        """The same at another field: pages and APIs name some fields differently."""
        return replace(self, field=field)


class ProblemError(ValueError):
    """Something cannot be used because of one problem. str() is its sentence for a person, with the way out."""

    def __init__(self, code: ProblemCode, text: str, *, field: str = "") -> None:
        super().__init__(text)
        self.problem = Problem(code, field, text)
        self.code, self.field = code, field
