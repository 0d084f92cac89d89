"""Numbers at the edges of every rule: which is refused with which sentence, and what is shown of one."""

import re

import pytest

from sms.values.msisdn import BadNumber, country_of, mask, parse, pretty
from sms.values.msisdn.mention import Mention, masked, masked_values, starred

NO_COUNTRY = "This number has no country code. Write it with +, or choose the country."


@pytest.mark.parametrize(
    ("written", "country", "code", "sentence"),
    [
        ("", "GB", "empty", "There is no number here."),
        ("7123456", "", "no_country", NO_COUNTRY),
        ("123456789012345", "", "no_country", NO_COUNTRY),
        ("7123456", "Atlantis and its many islands", "no_country",
         "The country “Atlantis and its man” is not known; use a code such as GB."),
        ("+999123456", "", "impossible", "No country has a code that starts like +999."),
        ("+9991", "", "impossible", "No country has a code that starts like +999."),
        ("+999", "", "too_short", "It has only 3 digits; a number with its country code has more."),
        ("009991234", "", "impossible", "No country has a code that starts like +999."),
        ("00999123", "", "too_short", "It has only 6 digits; a number with its country code has more."),
        ("1234567890123456", "", "too_long", "It has 16 digits; the longest number there is has 15."),
        ("+9991234567890123", "", "too_long", "It has 16 digits; the longest number there is has 15."),
        ("12345678901234567890 1", "GB", "too_long", "It has 21 digits; the longest number there is has 15."),
        ("+44123456", "", "too_short", "It has only 6 digits after +44; its area code is missing."),
        ("+4412", "", "too_short", "It has only 2 digits after +44; at least 10 are needed."),
        ("+4477000000000", "", "too_long", "It has 11 digits after +44; at most 10 are possible."),
        ("+33612345", "", "too_short", "It has only 6 digits after +33; at least 9 are needed."),
        ("4.477E+11", "GB", "shortened",
         "Excel shortened this number and its last digits are lost. Format the column as text and export it again."),
        ("447700900123.5", "GB", "not_a_number",
         "It is a quantity with a decimal part, not a number to send to."),
        ("x" * 201, "GB", "not_a_number", "It holds 201 characters, too many for a number."),
        ("x" * 200, "GB", "not_a_number", "There is no digit in it, so it is not a number."),
        ("1" * 2001, "GB", "not_a_number", "It holds 2001 characters, too many for a number."),
        ("07700 900x23", "GB", "not_a_number", "There are letters in it, so it is not a number to send to."),
        ("07700#900123", "GB", "not_a_number", "There are signs in it that no number has."),
        ("07700900123 or 07700900124", "GB", "two_numbers",
         "There is more than one number in it; give each a row of its own."),
        ("0770090 or 077009", "GB", "not_a_number",
         "There are letters in it, so it is not a number to send to."),
        ("+447700900123+", "GB", "not_a_number", "There are signs in it that no number has."),
    ],
)  # fmt: skip
def test_a_refusal_says_exactly_why(written, country, code, sentence):
    with pytest.raises(BadNumber) as refused:
        parse(written, country=country)
    assert (refused.value.code, str(refused.value)) == (code, sentence)


@pytest.mark.parametrize(
    ("written", "country", "e164"),
    [
        ("+447710000000", "", "+447710000000"),
        ("447710000000+", "", "+447710000000"),
        ("00447710000000", "", "+447710000000"),
        ("+00447710000000", "", "+447710000000"),
        ("07710000000", "UK", "+447710000000"),
        ("+07710000000", "GB", "+447710000000"),
        ("7710000000", "gb ", "+447710000000"),
        ("447710000000", "GB", "+447710000000"),
        ("011447710000000", "US", "+447710000000"),
        ("+44 (0)7710 000000", "", "+447710000000"),
        ("+39 (0)6 1234567", "", "+39061234567"),
        ("(0)7710000000", "GB", "+447710000000"),
        ("4.4771E+11", "GB", None),
        ("4.47710000000E+11", "GB", "+447710000000"),
        ("447710000000.0", "GB", "+447710000000"),
        ("447,710,000,000", "GB", "+447710000000"),
        ("447.710.000.000,00", "GB", "+447710000000"),
        ('="07710000000"', "GB", "+447710000000"),
        ("tel: 07710 000000", "GB", "+447710000000"),
        ("٠٧٧١٠٠٠٠٠٠٠", "GB", "+447710000000"),
        ("+12015550123", "", "+12015550123"),
        ("+353871234567", "", "+353871234567"),
        ("+80012345678", "", "+80012345678"),
    ],
)
def test_a_number_is_read(written, country, e164):
    if e164 is None:
        with pytest.raises(BadNumber):
            parse(written, country=country)
        return
    found = parse(written, country=country)
    assert found.e164 == e164
    assert found.country == country_of(e164)


@pytest.mark.parametrize(
    ("e164", "country", "shown", "hidden"),
    [
        ("+447710000123", "GB", "+44 7710 000123", "+44 7710 ••• 123"),
        ("+12015550123", "US", "+1 201-555-0123", "+1 2015 ••• 123"),
        ("+14165550123", "CA", "+1 416-555-0123", "+1 4165 ••• 123"),
        ("+353871234567", "IE", "+353 87 123 4567", "+353 871 ••• 567"),
        ("+80012345678", "", "+800 1234 5678", "+800 12 ••• 678"),
        ("447710000123", "", "447710000123", "•••"),
        ("+99912345", "", "+99912345", "•••"),
        ("+44771x", "GB", None, "•••"),
        ("+44123456", "GB", None, "+44 ••• 456"),
        ("+441234567", "GB", None, "+44 1 ••• 567"),
        ("+4412345", "GB", None, "+44 ••• 45"),
        ("+44123", "GB", None, "+44 •••"),
        ("", "", "", "•••"),
    ],
)
def test_what_is_shown_of_a_number(e164, country, shown, hidden):
    assert mask(e164) == hidden
    if shown is not None:
        assert pretty(e164) == shown
        assert country_of(e164) == country


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("to 1234567.", "to 12•••67."),
        ("to +1234567", "to +12•••67"),
        ("to 123456", "to 123456"),
        ("447700900123", "44•••23"),
        ("+44 7700 900123", "+44•••23"),
        ("07700 900123", "07•••23"),
        ("(020) 7946 0018", "02•••18"),
        ("201-555-0123", "20•••23"),
        ("a1234567", "a1234567"),
        ("2026-11-29", "2026-11-29"),
        ("8f14e45f-ceea-467f-9575-1234567890ab", "8f14e45f-ceea-467f-9575-1234567890ab"),
        ("%2B447700900123", "%2B44•••23"),
    ],
)
def test_what_looks_like_a_number_is_hidden_in_text(text, after):
    assert masked(text) == after
    if after != text:
        assert "•" not in masked(text, put="X") and "X" in masked(text, put="X")


def test_numbers_are_hidden_at_any_depth_and_large_integers_too():
    values = {
        "to +447700900123": ["447700900123", ("447700900123", 5)],
        "n": 10**9,
        "m": 10**9 - 1,
        "k": -(10**9),
    }
    found = masked_values(values)
    assert list(found) == ["to +44•••23", "n", "m", "k"]
    assert found["to +44•••23"] == ["44•••23", ("44•••23", 5)]
    assert found["m"] == 10**9 - 1
    assert found["n"] != 10**9 and found["k"] != -(10**9) and "•••" in str(found["n"]) + str(found["k"])
    assert masked_values(None) is None and masked_values(True) is True and masked_values(1.5) == 1.5


@pytest.mark.parametrize(
    "text",
    [
        "+44 (0) 7700-900123",
        "0044%2007700900123",
        "d=%2B447700900123&n=1",
        "at%2007700%20900123.",
        "٠٧٧٠٠ ٩٠٠١٢٣",
    ],
)
def test_a_known_number_is_taken_out_however_it_is_written(text):
    left = Mention("+447700900123").without(text, put="…")
    assert re.sub("%2[0B]|[a-z]=1?|[at.&]", "", left) == "…"
    assert starred(text, "+447700900124") == text, "another's number"
