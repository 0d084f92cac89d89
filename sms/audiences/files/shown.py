"""What a number or date in a workbook looks like in its cell: 0.25 as 25 %, 42 as 00042, a day as 03/11/2026.

The parser gives values; people compose texts by what they see. Formats that are not understood here fall back to a plain form
(ISO dates, shortest digits). Pure; called by `workbook`.
"""

import calendar
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

Value = str | int | float | bool | date | datetime | time | timedelta | None
Show = Callable[[float | date | datetime | time | timedelta], str]

_BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy",
    18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 37: "#,##0", 38: "#,##0", 39: "#,##0.00", 40: "#,##0.00",
}  # fmt: skip
# The "short date" formats follow the reader's country; where it is not known, ISO cannot be misread.
_SHORT_DATES = {
    **dict.fromkeys(("GB", "IE", "FR", "ES", "IT", "PT"), "dd/mm/yyyy"),
    **dict.fromkeys(("DE", "AT", "CH", "PL"), "dd.mm.yyyy"),
    **dict.fromkeys(("AU", "NZ"), "d/mm/yyyy"),
    "IN": "dd-mm-yyyy",
    "US": "m/d/yyyy",
}

_TOKEN = re.compile(
    r'"([^"]*)"|\\(.)|\[\$([^\]-]*)(?:-[^\]]*)?\]|_.|\*.|(AM/PM)|(\[h+\]|[dhsmy]+)|(.)',
    re.IGNORECASE | re.DOTALL,
)
_COLOUR = re.compile(r"\[(?:black|blue|cyan|green|magenta|red|white|yellow|color\d+)\]", re.IGNORECASE)
_CLOCK_CODE = re.compile(r"d{1,4}|m{1,4}|y{2}|y{4}|h{1,2}|s{1,2}|\[h+\]|ampm")
_DIGITS = re.compile(r"(?:#,##|#*,?#*)(0*)(?:\.(0+))?")
_MONTHS = tuple(calendar.month_name)[1:]
_DAYS = tuple(calendar.day_name)


def plain(value: Value) -> str:
    """A value without a format of its own."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        # 15 digits are what a spreadsheet keeps; beyond them only the noise of 0.1 + 0.2 would show.
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else f"{value:.15g}"
    if isinstance(value, datetime):
        if value.time() == time():
            return value.date().isoformat()
        return value.isoformat(" ", "seconds" if value.second else "minutes")
    if isinstance(value, time):
        return value.isoformat("seconds" if value.second else "minutes")
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")
    return "" if value is None else str(value)


def format_of(number: int, code: str, *, country: str) -> Show | None:
    """How a cell with this format shows its value; None where its plain form is right or the format is not understood."""
    if number in (14, 22):
        short = _SHORT_DATES.get(country)
        code = (short + (" h:mm" if number == 22 else "")) if short else ""
    code = code or _BUILT_IN.get(number, "")
    if len(code) > 200:
        return None  # no real format is this long, and the patterns below are made for short texts
    section = _first_section(code)
    if not section or section.lower() == "general":
        return None
    return _date_format(section) or _number_format(section)


def _first_section(code: str) -> str:
    """Formats for negative numbers, zero and text follow after semicolons; conditions and colours go away."""
    quoted = re.split(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', code)[0]
    if re.search(r"\[[<>=]", quoted):
        return ""
    return _COLOUR.sub("", quoted)


def _number_format(section: str) -> Show | None:
    before = digits = after = ""
    for quoted, escaped, currency, clock, letters, char in _TOKEN.findall(section):
        if clock or letters:
            return None
        if char and char in "#0,.":
            if after.strip():
                return None  # digits in two places: fractions, phone masks
            digits += char
        elif char and char in "/?Ee@":
            return None
        elif digits:
            after += quoted or escaped or currency or char
        else:
            before += quoted or escaped or currency or char
    matched = _DIGITS.fullmatch(digits)
    if not digits or not matched or (before + after).count("%") > 1:
        return None
    places, least, comma = len(matched[2] or ""), len(matched[1]), "," if "," in digits else ""
    shift = 2 if "%" in before + after else 0
    step = Decimal(1).scaleb(-places)

    def show(value: float | date | datetime | time | timedelta) -> str:
        if not isinstance(value, int | float):
            return plain(value)
        rounded = Decimal(repr(value)).scaleb(shift).quantize(step, rounding=ROUND_HALF_UP)
        width = least + (places + 1 if places else 0)
        shown = f"{abs(rounded):0{width}{comma}f}" if not comma else f"{abs(rounded):{comma}f}"
        return ("-" if rounded < 0 else "") + (before + shown + after).strip()

    return show


def _date_format(section: str) -> Show | None:
    """Day, month, year and clock in English. None where a token is not about dates."""
    tokens: list[tuple[bool, str]] = []  # (is a letter code, text)
    twelve = False
    for quoted, escaped, currency, clock, letters, char in _TOKEN.findall(section):
        if clock:
            twelve = True
            tokens.append((True, "ampm"))
        elif letters:
            tokens.append((True, letters.lower()))
        elif char and char in "#0%?E@":
            return None
        else:
            tokens.append((False, quoted or escaped or currency or char))
    codes = [text for is_code, text in tokens if is_code]
    if not codes or not all(map(_CLOCK_CODE.fullmatch, codes)):
        return None
    _mark_minutes(tokens)

    def show(value: float | date | datetime | time | timedelta) -> str:
        if isinstance(value, timedelta | int | float):
            return plain(value)
        return "".join(_part(value, text, twelve) if is_code else text for is_code, text in tokens).strip()

    return show


def _mark_minutes(tokens: list[tuple[bool, str]]) -> None:
    """m means minutes after hours and before seconds, months everywhere else."""
    codes = [at for at, (is_code, _) in enumerate(tokens) if is_code]
    for place, at in enumerate(codes):
        if tokens[at][1] in ("m", "mm"):
            before = tokens[codes[place - 1]][1] if place else ""
            after = tokens[codes[place + 1]][1] if place + 1 < len(codes) else ""
            if "h" in before or after.startswith("s"):
                tokens[at] = (True, tokens[at][1].replace("m", "n"))


def _part(value: date | datetime | time, code: str, twelve: bool) -> str:
    day = None if isinstance(value, time) else value
    clock = value if isinstance(value, datetime | time) else time()
    hour = clock.hour % 12 or 12 if twelve else clock.hour
    simple = {"h": hour, "n": clock.minute, "s": clock.second}.get(code[0])
    if simple is not None:
        return f"{simple:0{len(code)}}"
    if code.startswith("["):
        return str(clock.hour)
    if code == "ampm":
        return "AM" if clock.hour < 12 else "PM"
    if day is None:
        return ""
    if code[0] == "y":
        return f"{day.year:04}" if len(code) == 4 else f"{day.year % 100:02}"
    weekday, month = (day.day, _DAYS[day.weekday()]), (day.month, _MONTHS[day.month - 1])
    number, name = weekday if code[0] == "d" else month
    return (str(number), f"{number:02}", name[:3], name)[len(code) - 1]
