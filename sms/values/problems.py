"""What can be wrong with an order, a file or a row: one list of codes, and the sentences that are said of many rows at once.

Pages, `/api/v1/`, `/v2/messages` and stored rejects all use these codes; what a program or a page does about a problem follows from its
code, never from the words of its sentence. `docs/partners/codes.md` lists them.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum


class ProblemCode(StrEnum):
    """What kind of problem it is. `meaning` is for the documents."""

    meaning: str

    def __new__(cls, value: str, meaning: str = "") -> "ProblemCode":
        made = str.__new__(cls, value)
        made._value_, made.meaning = value, meaning
        return made

    @property
    def of_rows(self) -> str:
        """What is said of {one rejected row|many}, where there can be any."""
        return _OF_ROWS.get(self, "")

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


_OF_ROWS = {
    ProblemCode.EMPTY: "{has|have} no number",
    ProblemCode.NOT_A_NUMBER: "{holds|hold} something other than a number",
    ProblemCode.TOO_SHORT: "{has|have} a number with too few digits",
    ProblemCode.TOO_LONG: "{has|have} a number with too many digits",
    ProblemCode.IMPOSSIBLE: "{has|have} a number that cannot exist",
    ProblemCode.NO_COUNTRY: "{has|have} a number without a country code",
    ProblemCode.PREMIUM: "{has|have} a premium-rate number",
    ProblemCode.SHORTENED: "{has|have} a number that Excel shortened",
    ProblemCode.TWO_NUMBERS: "{holds|hold} more than one number",
    ProblemCode.FORMULA: "{holds|hold} a formula instead of a number",
    ProblemCode.FORMULA_ERROR: "{shows|show} an error instead of a number",
    ProblemCode.DATE: "{holds|hold} a date instead of a number",
    ProblemCode.DUPLICATE: "{repeats|repeat} an earlier number",
    ProblemCode.BROKEN_TEXT: "{holds|hold} a character that cannot be read",
    ProblemCode.BROKEN_QUOTES: "{has|have} quotation marks that do not pair up",
    ProblemCode.CELL_TOO_LONG: "{has|have} a cell that is too long",
    ProblemCode.TOO_MANY_CELLS: "{has|have} more cells than there are columns",
    ProblemCode.BAD_TIME_ZONE: "{has|have} an unknown time zone",
    ProblemCode.MISSING_VALUE: "{has|have} no value for $({field})",
    ProblemCode.VALUE_DOES_NOT_FIT: "{has|have} a value that does not fit $({field})",
    ProblemCode.PLACEHOLDER_IN_VALUE: "{has|have} a value that reads like a placeholder",
    ProblemCode.TEXT_TOO_LONG: "{makes|make} a text that is too long",
    ProblemCode.OPTED_OUT: "{is for a person|are for people} who opted out",
    ProblemCode.SENDER_REFUSED: "{goes|go} to a country that does not take this sender",
    ProblemCode.LEFT_OUT: "{is|are} left out for the kind of number: {field}",
    ProblemCode.NUMBER_CAP: "{is for a number|are for numbers} that already {gets|get} enough messages that day",
    ProblemCode.COUNTRY_NOT_ALLOWED: "{goes|go} to a country that is not allowed: {field}",
}
_ONE_OR_MANY = re.compile(r"\{([^{}|]*)\|([^{}|]*)\}")
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


def one_or_many(words: str, count: int) -> str:
    """“{has|have} no number” as it is said of so many."""
    return _ONE_OR_MANY.sub(r"\1" if count == 1 else r"\2", words)


def rows_text(code: ProblemCode, count: int, field: str = "") -> str:
    """What is said of all rows that were rejected for one reason: “432 rows repeat an earlier number”."""
    said = one_or_many(code.of_rows, count).replace("{field}", field)
    return f"1 row {said}" if count == 1 else f"{count:,} rows {said}"


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
