"""Numbers as people and programs write them, against a table, against `phonenumbers` itself, and against anything."""

import random
import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata, PhoneNumberFormat

from sms.values.msisdn import BadNumber, Msisdn, mask, parse, plan, pretty, rewriting
from sms.values.msisdn.kinds import NumberKind

DRAMA = "+447700900123"

GB_FORMS = [
    "+447700900123",
    "447700900123",
    "07700900123",
    "7700900123",
    "00447700900123",
    "+00447700900123",
    "++447700900123",
    "+ 44 7700 900123",
    "447700900123+",  # how right-to-left text shows it
    "+4407700900123",
    "+07700900123",
    "+44 7700 900 123",
    "+44 (0)7700 900123",
    "+44 (0) 7700 900123",
    "+44( 0 )7700-900123",
    "+44 [0]7700 900123",
    "0044 (0)7700 900123",
    "44 (0)7700 900123",
    "(+44) 7700 900123",
    "(0044) 7700 900123",
    "(07700) 900123",
    "(0)7700 900123",
    "[07700] 900 123",
    "07700 900123",
    "  07700  900123\t",
    "07700\n900123",
    "07700\u00a0900123",  # no-break space
    "07700\u2009900\u202f123",  # thin spaces
    "07700\u3000900123",  # ideographic space
    "07700-900123",
    "07700--900123",
    "07700\u2010900123",
    "07700\u2011900123",
    "07700\u2012900123",
    "07700\u2013900123",
    "07700\u2014900123",
    "07700\u2015900123",
    "07700\u2212900123",
    "07700\ufe63900123",
    "07700\uff0d900123",
    "07700.900.123",
    "07700/900123",
    "07700 / 900 123",
    "07700_900123",
    "07700~900123",
    "447700900123.0",
    "447700900123.00",
    "447700900123,0",
    "7700900123.0",
    "07700 900123.0",
    "4.47700900123E+11",
    "4,47700900123E+11",
    "4.47700900123e+11",
    "4.47700900123E11",
    "4.477009001230E+11",
    "4.47700900123E+011",
    "447700900123E0",
    "7.700900123E+9",
    " 4.47700900123E+11 ",
    "447,700,900,123",
    "447,700,900,123.00",
    "447.700.900.123,00",
    "'07700900123",
    "\u201907700900123",
    "'+447700900123'",
    '"07700900123"',
    '="07700900123"',
    "07700900123,",
    "tel:+447700900123",
    "TEL:+44-7700-900123",
    "Tel: 07700 900123",
    "Mobile 07700 900123",
    "\ufeff07700900123",
    "\u200b07700\u200b900123",
    "\u202a+447700900123\u202c",
    "\u200f+44 7700 900123\u200e",
    "07700\u00ad900123",
    "07700900123\x00",
    "\u0660\u0667\u0667\u0660\u0660\u0669\u0660\u0660\u0661\u0662\u0663",  # Arabic-Indic
    "+\u0664\u0664\u0667\u0667\u0660\u0660\u0669\u0660\u0660\u0661\u0662\u0663",
    "\u06f0\u06f7\u06f7\u06f0\u06f0\u06f9\u06f0\u06f0\u06f1\u06f2\u06f3",  # Persian
    "\u0966\u096d\u096d\u0966\u0966\u096f\u0966\u0966\u0967\u0968\u0969",  # Devanagari
    "\uff0b\uff14\uff14\uff17\uff17\uff10\uff10\uff19\uff10\uff10\uff11\uff12\uff13",  # fullwidth
    "\uff08\uff10\uff17\uff17\uff10\uff10\uff09\uff19\uff10\uff10\uff11\uff12\uff13",
    "0\ufe0f\u20e37\ufe0f\u20e37\ufe0f\u20e300900123",  # keycaps
    "\u260e 07700 900123",
]

OTHER_FORMS = [
    ("", "447911123456", "+447911123456"),
    ("", "0033 6 12 34 56 78", "+33612345678"),
    ("GB", "33612345678", "+33612345678"),
    ("gb", "07911 123456", "+447911123456"),
    ("UK", "07911 123456", "+447911123456"),
    ("FR", "06 12 34 56 78", "+33612345678"),
    ("FR", "06.12.34.56.78", "+33612345678"),
    ("FR", "612345678.0", "+33612345678"),
    ("DE", "0151 / 234 567 89", "+4915123456789"),
    ("DE", "447911123456", "+447911123456"),  # a British mobile, not the Braunschweig landline it could be
    ("DE", "17012345678", "+4917012345678"),  # a German mobile, not the one in North Dakota
    ("IT", "347 123 4567", "+393471234567"),
    ("IT", "+39 (0)6 6988 2345", "+390669882345"),  # Italy keeps its zero
    ("US", "(202) 555-0123", "+12025550123"),
    ("US", "1-202-555-0123", "+12025550123"),
    ("US", "202.555.0123", "+12025550123"),
    ("US", "011 44 7911 123456", "+447911123456"),
    ("US", "0044 7911 123456", "+447911123456"),
    ("AU", "0011 44 7911 123456", "+447911123456"),
    ("AU", "0412 345 678", "+61412345678"),
    ("RU", "8 (912) 345-67-89", "+79123456789"),
    ("AR", "011 15-2345-6789", "+5491123456789"),
    ("HU", "06 20 123 4567", "+36201234567"),
    ("JE", "07797 712345", "+447797712345"),
    ("IN", "9.19876543210E+11", "+919876543210"),
]

REFUSED = [
    ("", "GB", "empty"),
    (" \u00a0\u200b\ufeff ", "GB", "empty"),
    ("'", "GB", "empty"),
    ("n/a", "GB", "not_a_number"),
    ("-", "GB", "not_a_number"),
    ("+", "GB", "not_a_number"),
    ("bob@demo.test", "GB", "not_a_number"),
    ("07700 9OO123", "GB", "not_a_number"),
    ("07700900123 ext 4", "GB", "not_a_number"),
    ("*100#", "GB", "not_a_number"),
    ("07700+900123", "GB", "not_a_number"),
    ("1\u00bd", "GB", "not_a_number"),
    ("447700900123.5", "GB", "not_a_number"),
    ("4.477009001235E+11", "GB", "not_a_number"),
    ("4.477E-11", "GB", "not_a_number"),
    ("=A1+B1", "GB", "not_a_number"),
    ("#REF!", "GB", "not_a_number"),
    ("4.477E+11", "GB", "shortened"),
    ("4,477E+11", "GB", "shortened"),
    ("4.47701E+11", "GB", "shortened"),
    ("4.4770090012E+11", "GB", "shortened"),
    ("4E+11", "GB", "shortened"),
    ("4.477E+999", "GB", "shortened"),
    ("07700900123 / 07700900124", "GB", "two_numbers"),
    ("07700900123, 07700900124", "GB", "two_numbers"),
    ("07700900123 or 07700900124", "GB", "two_numbers"),
    ("07700900123\n07700900124", "GB", "two_numbers"),
    ("07700 900123", "", "no_country"),
    ("07700 900123", "XX", "no_country"),
    ("7700900123", "", "no_country"),
    ("72345", "GB", "too_short"),
    ("72345", "", "too_short"),
    ("7946 0000", "GB", "too_short"),
    ("+44", "GB", "too_short"),
    ("+44 77", "GB", "too_short"),
    ("+447700900123456", "GB", "too_long"),
    ("07700 900123 0000000", "GB", "too_long"),
    ("+" + "4" * 16, "", "too_long"),
    ("1" * 30, "GB", "too_long"),
    ("+49" + "1" * 14, "DE", "too_long"),
    ("+999 123 4567", "GB", "impossible"),
    ("+44 77009001", "GB", "too_short"),
    ("9" * 5_000_000, "GB", "not_a_number"),
    ("07700900123" + "\u200b" * 5_000 + "4", "GB", "not_a_number"),
]


@pytest.mark.parametrize("written", GB_FORMS)
def test_every_written_form_of_a_british_number_is_the_same_number(written):
    assert parse(written, country="GB").e164 == DRAMA


@pytest.mark.parametrize(("country", "written", "e164"), OTHER_FORMS)
def test_a_form_of_another_country_is_read_by_its_plan(country, written, e164):
    assert parse(written, country=country).e164 == e164


@pytest.mark.parametrize(("written", "country", "code"), REFUSED, ids=lambda value: str(value)[:30])
def test_what_is_no_number_is_refused_with_a_code_and_a_sentence(written, country, code):
    with pytest.raises(BadNumber) as refusal:
        parse(written, country=country)
    assert refusal.value.code == code
    assert re.fullmatch(r"[A-Z0-9].{10,150}\.", str(refusal.value))


def test_a_refusal_of_a_shortened_number_names_excel_and_the_way_out():
    with pytest.raises(BadNumber, match=r"Excel shortened .* as text"):
        parse("4.477E+11", country="GB")


def test_a_drama_number_is_kept_with_a_warning():
    number = parse("07700 900123", country="GB")
    assert (number.e164, number.country) == (DRAMA, "GB")
    assert "no range that is assigned" in number.warning


def test_an_assigned_number_has_no_warning_and_its_own_country():
    assert parse("07400 123456", country="GB") == Msisdn("+447400123456", "GB", NumberKind.MOBILE)
    assert parse("+1 242 359 1234") == Msisdn("+12423591234", "BS", NumberKind.MOBILE)
    assert parse("+1 202 555 0143") == Msisdn("+12025550143", "US", NumberKind.MOBILE_OR_LANDLINE)
    assert parse("+800 1234 5678") == Msisdn("+80012345678", "", NumberKind.FREE)
    assert parse("+1 202 555 0143").warning == parse("07400 123456", country="GB").warning == ""


def test_the_countrys_own_reading_wins_over_an_international_one():
    assert parse("4582345678", country="US").e164 == "+14582345678"
    assert parse("4582345678", country="").e164 == "+4582345678"


def _settled(code: int, national: str) -> phonenumbers.PhoneNumber:
    zeros = len(national) - len(national.lstrip("0"))
    return phonenumbers.PhoneNumber(
        country_code=code,
        national_number=int(national),
        italian_leading_zero=zeros > 0 or None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )


Type = phonenumbers.PhoneNumberType
KIND_OF = {
    Type.MOBILE: NumberKind.MOBILE,
    Type.FIXED_LINE_OR_MOBILE: NumberKind.MOBILE_OR_LANDLINE,
    Type.FIXED_LINE: NumberKind.LANDLINE,
    Type.TOLL_FREE: NumberKind.FREE,
    Type.PREMIUM_RATE: NumberKind.PREMIUM,
    Type.UNKNOWN: NumberKind.UNASSIGNED,
}


def _by_the_library(code: int, national: str) -> tuple[str, str | None, NumberKind] | None:
    """(E.164, region if assigned, kind) as `phonenumbers` has it; None if it cannot exist, or is too short or too long for a text."""
    number = _settled(code, national)
    if not phonenumbers.is_valid_number(number):
        for _ in range(5):
            try:
                number = phonenumbers.parse(phonenumbers.format_number(number, PhoneNumberFormat.E164))
            except phonenumbers.NumberParseException:
                return None
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if (
        len(e164) > 16
        or phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE
    ):
        return None
    kind = KIND_OF.get(phonenumbers.number_type(number), NumberKind.SPECIAL)
    if not phonenumbers.is_valid_number(number):
        # possible as a landline of some village is not possible for a text
        lengths = {
            length
            for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
            for data in [PhoneMetadata.metadata_for_region_or_calling_code(code, region)]
            if data.mobile is not None
            for length in data.mobile.possible_length or data.general_desc.possible_length
        }
        main = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code][0]
        general = PhoneMetadata.metadata_for_region_or_calling_code(code, main).general_desc
        begins = re.fullmatch(general.national_number_pattern, e164.removeprefix(f"+{code}"))
        fits = begins and (len(e164) - len(f"+{code}") in lengths or lengths <= {-1})
        return (e164, None, NumberKind.UNASSIGNED) if fits else None
    return None if kind == NumberKind.PREMIUM else (e164, phonenumbers.region_code_for_number(number), kind)


def _is_beside_the_library(code: int, e164: str) -> bool:
    """What we know beyond its tables (`rewriting.toml`)."""
    number = e164.removeprefix(f"+{code}")
    found = plan.settled(str(code), number, home=plan.main_territory(str(code)))
    return found.kind == NumberKind.MACHINE or rewriting.is_outdated(str(code), number)


def test_the_compiled_plans_agree_with_phonenumbers_over_every_territory():
    dice = random.Random(20)
    compared = assigned = 0
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        for region in regions:
            data = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
            examples = [
                kind.example_number
                for kind in (
                    data.mobile,
                    data.fixed_line,
                    data.toll_free,
                    data.personal_number,
                    data.uan,
                    data.voip,
                    data.premium_rate,
                    data.shared_cost,
                )
                if kind is not None and kind.example_number
            ]
            trunk = data.national_prefix or "0"
            for example in examples:
                for kept in (len(example), len(example) - 2, len(example) // 2, 1):
                    length = len(example) - kept + dice.choice((0, 0, 0, 0, -1, 1))
                    national = example[:kept] + "".join(dice.choices("0123456789", k=max(0, length)))
                    for digits in (national, trunk + national):
                        if len(digits) < 2 or not digits.strip("0"):
                            continue
                        expected = _by_the_library(code, digits)
                        try:
                            number = parse(f"+{code}{digits}")
                        except BadNumber:
                            ours = None
                        else:
                            unassigned = number.kind == NumberKind.UNASSIGNED
                            ours = number.e164, (None if unassigned else number.country or "001"), number.kind
                            if (
                                _is_beside_the_library(code, number.e164)
                                or number.kind == NumberKind.OUTDATED
                            ):
                                continue
                        assert ours == expected, f"+{code} {digits} ({region})"
                        compared += 1
                        assigned += bool(expected and expected[1])
    assert compared > 5_000
    assert assigned > 1_500


def test_every_countrys_example_mobile_is_read_in_all_formats_that_the_library_writes():
    forms = 0
    for region in phonenumbers.SUPPORTED_REGIONS:
        number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if number is None or not phonenumbers.is_valid_number(number):
            continue
        e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
        written = [
            phonenumbers.format_number(number, form)
            for form in (
                PhoneNumberFormat.INTERNATIONAL,
                PhoneNumberFormat.NATIONAL,
                PhoneNumberFormat.RFC3966,
            )
        ]
        written += [
            e164[1:],
            f"00{e164[1:]}",
            f"{e164[1:]}.0",
            phonenumbers.national_significant_number(number),
        ]
        written.append(
            phonenumbers.format_out_of_country_calling_number(number, "GB" if region != "GB" else "FR")
        )
        for form in written:
            assert parse(form, country=region).e164 == e164, f"{form!r} in {region}"
            forms += 1
    assert forms > 1_500


# Half soup of any characters, half of those that numbers are written with.
_soup = st.text() | st.text(alphabet="0123456789+-()., /eE'=\"\u0660\uff11\u200b\u00a0\u2013", max_size=24)
_countries = st.sampled_from(
    ["", "GB", "US", "DE", "IT", "AR", "BR", "RU", "JE", "MX", "HK", "BY"]
) | st.text(max_size=3)


@given(raw=_soup, country=_countries)
def test_any_string_is_a_number_that_reads_back_as_itself_or_a_bad_number(raw, country):
    try:
        number = parse(raw, country=country)
    except BadNumber as refusal:
        assert refusal.code
        assert str(refusal)
        return
    assert re.fullmatch(r"\+[1-9][0-9]{4,14}", number.e164)
    assert parse(number.e164) == number
    assert parse(number.e164, country=country) == number


@given(
    code=st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)),
    national=st.from_regex(r"[0-9]{3,14}", fullmatch=True),
)
def test_any_digits_after_a_real_calling_code_read_back_as_themselves(code, national):
    try:
        number = parse(f"+{code}{national}")
    except BadNumber:
        return
    assert parse(number.e164) == number
    assert parse(pretty(number.e164)) == number


@pytest.mark.parametrize(
    ("e164", "masked", "shown"),
    [
        ("+447700900123", "+44 7700 ••• 123", "+44 7700 900123"),
        ("+12025550123", "+1 2025 ••• 123", "+1 202-555-0123"),
        ("+4532123456", "+45 32 ••• 456", "+45 32 12 34 56"),
        ("+2904123", "+290 ••• 3", "+290 4123"),
        ("+4407700900123", "+44 0770 ••• 123", "+4407700900123"),  # shown as it is, wrong as it is
        ("", "•••", ""),
        ("TEXTDESK", "•••", "TEXTDESK"),
        ("07700900123", "•••", "07700900123"),
    ],
)
def test_a_number_is_shown_grouped_and_masked(e164, masked, shown):
    assert mask(e164) == masked
    assert pretty(e164) == shown


@given(st.text() | st.from_regex(r"\+[0-9]{1,20}", fullmatch=True))
def test_a_mask_hides_at_least_three_digits_of_anything(text):
    shown = [char for char in mask(text) if char.isdigit()]
    assert len(shown) <= max(0, sum(char.isdigit() for char in text) - 3) or len(text) < 7
