"""How a number is mostly written in lists: to find a cell that was kept as it was by an index, without reading any other. Pure."""

import phonenumbers

from sms.values.msisdn import pretty


def usual_writings(e164: str) -> tuple[str, ...]:
    """E.164 first. What is written in a rarer way (dots, brackets) is not among them."""
    digits = e164.removeprefix("+")
    found = [e164, digits, f"00{digits}", pretty(e164)]
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return tuple(dict.fromkeys(found))
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    bare = "".join(filter(str.isdigit, national))
    return tuple(dict.fromkeys((*found, national, bare, f"0{bare.removeprefix('0')}")))
