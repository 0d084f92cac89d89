"""National numbers with digits too many or too few, as people mistype them; by `phonenumbers` none of them is valid in its country."""

import random
from collections.abc import Iterator

import phonenumbers

COUNTRIES = ("US", "GB", "IN", "MX", "BR", "FR", "DE")
# first digits of mobiles; the rest of a number is any digits
_BEGINS = {
    "US": ("202", "336", "614", "316", "216", "415", "712", "980", "458"),
    "GB": ("7400", "7911", "7712", "7500"),
    "IN": ("98", "70", "62", "81"),
    "MX": ("55", "33", "81", "222", "998"),
    "BR": ("119", "219", "519", "559", "859"),
    "FR": ("6", "7"),
    "DE": ("1512", "160", "170", "176"),
}
_LENGTH = {"US": 10, "GB": 10, "IN": 10, "MX": 10, "BR": 11, "FR": 9, "DE": 11}


def misdialled(country: str, count: int, *, dice: random.Random) -> Iterator[str]:
    """One digit is put in, typed twice or left out, sometimes two; half of them with the country's trunk prefix."""
    made = 0
    trunk = "" if country in ("US", "MX") else "0"
    while made < count:
        digits = list(dice.choice(_BEGINS[country]))
        digits += dice.choices("0123456789", k=_LENGTH[country] - len(digits))
        for _ in range(dice.choice((1, 1, 1, 2))):
            at = dice.randrange(1, len(digits))
            if dice.random() < 0.5:
                digits.insert(at, dice.choice([digits[at], dice.choice("0123456789")]))
            else:
                del digits[at]
        written = "".join(digits)
        if len(digits) == _LENGTH[country]:
            continue
        if dice.random() < 0.5:
            written = trunk + written
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(written, country)):
                continue
        except phonenumbers.NumberParseException:
            pass
        made += 1
        yield written
