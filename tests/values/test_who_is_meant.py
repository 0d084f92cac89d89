"""Where a number could be a stranger's: digits too many or too few, forms of yesterday, what networks report, two in a cell."""

import random

import phonenumbers
import pytest

from sms.values.msisdn import BadNumber, certain, parse, sender, spellings
from sms.values.msisdn.kinds import DOUBTFUL, NumberKind
from tests.support.misdialled import COUNTRIES, misdialled

ABROAD = NumberKind.ABROAD


@pytest.mark.parametrize("country", COUNTRIES)
def test_no_misdialled_number_becomes_somebodys_without_a_word(country):
    silent = []
    for written in misdialled(country, 1_500, dice=random.Random(39)):
        try:
            found = parse(written, country=country)
        except BadNumber:
            continue
        if found.kind not in DOUBTFUL or (found.country != country and found.kind != ABROAD):
            silent.append((written, found))
    assert silent == []


@pytest.mark.parametrize(
    ("written", "country", "e164", "kind"),
    [
        ("336-555-12345", "US", "+33655512345", ABROAD),
        ("79111234567", "GB", "+79111234567", ABROAD),
        ("447911123456", "US", "+447911123456", ABROAD),
        ("0044 7911 123456", "US", "+447911123456", NumberKind.MOBILE),
        ("011 44 7911 123456", "US", "+447911123456", NumberKind.MOBILE),
        ("919812345678", "IN", "+919812345678", NumberKind.MOBILE),
        ("0015123456789", "DE", "+15123456789", ABROAD),  # Texas, or 0151 2345 6789 with a zero too many
        ("0015123456789", "GB", "+15123456789", NumberKind.MOBILE_OR_LANDLINE),
        ("00256712348530", "KR", "+56712348530", ABROAD),  # Chile behind Korea's 002, Uganda behind 00
        ("00351912340672", "SG", "+51912340672", ABROAD),
        ("002447911123456", "KR", "+447911123456", NumberKind.MOBILE),
        ("00447911123456", "KR", "+447911123456", NumberKind.MOBILE),
        ("0151 496 0123", "GB", "+441514960123", NumberKind.LANDLINE),
        ("0800 123 4567", "GB", "+448001234567", NumberKind.FREE),
        ("0345 123 4567", "GB", "+443451234567", NumberKind.SPECIAL),
        ("07700 900123", "GB", "+447700900123", NumberKind.UNASSIGNED),
        ("+371300000000001", "GB", "+371300000000001", NumberKind.MACHINE),
        ("+345901234567890", "", "+345901234567890", NumberKind.MACHINE),
        ("+31970123456789"[:14], "NL", "+3197012345678", NumberKind.MACHINE),
        ("+52 1 55 9595 4860", "", "+525595954860", NumberKind.MOBILE_OR_LANDLINE),
        ("5215595954860", "MX", "+525595954860", NumberKind.MOBILE_OR_LANDLINE),
        ("044 55 9595 4860", "MX", "+525595954860", NumberKind.MOBILE_OR_LANDLINE),
        ("01 55 9595 4860", "MX", "+525595954860", NumberKind.MOBILE_OR_LANDLINE),
        ("+54 9 11 15 2345 6789", "", "+5491123456789", NumberKind.MOBILE),
        ("011 15-2345-6789", "AR", "+5491123456789", NumberKind.MOBILE),
        ("11 8765-4321", "BR", "+5511987654321", NumberKind.OUTDATED),
        ("+55 11 8765-4321", "", "+5511987654321", NumberKind.OUTDATED),
        ("+55 11 98765-4321", "", "+5511987654321", NumberKind.MOBILE),
        ("+44 (0)7400 123456", "", "+447400123456", NumberKind.MOBILE),
    ],
)
def test_a_number_is_read_with_its_kind(written, country, e164, kind):
    found = parse(written, country=country)
    assert (found.e164, found.kind) == (e164, kind)
    assert bool(found.warning) == (kind in DOUBTFUL)


@pytest.mark.parametrize(
    ("written", "country", "code"),
    [
        ("0791112345", "GB", "too_short"),
        ("+44 7911 12345", "", "too_short"),
        ("06 12 34 56 78", "GB", "too_short"),
        ("079111234567", "GB", "too_long"),
        ("+4477009000011", "GB", "too_long"),
        ("0151 2345 6789 0", "DE", "too_long"),
        ("447700900123", "US", "too_long"),
        ("4420794601234", "US", "too_long"),  # abroad, no mobile
        ("0906 123 4567", "GB", "premium"),
        ("+1 900 234 5678", "", "premium"),
    ],
)
def test_what_no_text_can_reach_is_refused(written, country, code):
    with pytest.raises(BadNumber) as refused:
        parse(written, country=country)
    assert refused.value.code == code


def test_a_refusal_without_a_plus_names_the_way_out():
    with pytest.raises(BadNumber, match="write it with \\+ and its country code"):
        parse("447700900123", country="US")
    with pytest.raises(BadNumber, match="digit may be wrong.*write it with \\+"):
        certain("33612345678", country="GB")
    assert certain("+33612345678", country="GB") == "+33612345678"


@pytest.mark.parametrize(
    ("reported", "e164"),
    [
        ("5215595954860", "+525595954860"),
        ("+5215595954860", "+525595954860"),
        ("525595954860", "+525595954860"),
        ("541123456789", "+5491123456789"),
        ("5491123456789", "+5491123456789"),
        ("551187654321", "+5511987654321"),
        ("5511987654321", "+5511987654321"),
        ("447700900123", "+447700900123"),
        ("09061234567"[1:], "+9061234567"),  # nothing is refused for what its range says
        ("72345", "+72345"),
        ("TEXTDESK", ""),
        ("", ""),
    ],
)
def test_what_a_network_reports_is_the_number_that_lists_have(reported, e164):
    assert sender(reported) == e164


@pytest.mark.parametrize(
    ("reported", "country", "e164"),
    [
        ("07911 123456", "GB", "+447911123456"),
        ("0044 7911 123456", "DE", "+447911123456"),
        ("tel:+44 7911 123456", "DE", "+447911123456"),
        ("03471234567"[1:], "IT", "+3471234567"),  # without a zero it has its country code
        ("07911 123456", "", ""),
    ],
)
def test_a_handset_reported_without_a_country_code_is_of_the_services_country(reported, country, e164):
    assert sender(reported, country=country) == e164


def test_a_handset_of_argentina_has_two_spellings_and_others_have_one():
    assert spellings("+5491123456789") == ("+5491123456789", "+541123456789")
    assert spellings("+541123456789") == ("+541123456789", "+5491123456789")
    assert spellings("+525595954860") == ("+525595954860",)


@pytest.mark.parametrize(
    "between",
    [
        " / ",
        "/",
        ", ",
        ";",
        " or ",
        " und ",
        "\n",
        " ",
        "  ",
        " - ",
        "-",
        " | ",
        " (work) ",
        "\u00a0",
        "\\",
        ":",
    ],
)
def test_two_numbers_in_a_cell_are_named_as_such(between):
    for first, second in (("07700900123", "07700900124"), ("07700 900123", "07700 900124")):
        with pytest.raises(BadNumber) as refused:
            parse(f"{first}{between}{second}", country="GB")
        assert refused.value.code == "two_numbers"


def test_every_country_reads_its_own_mobiles_in_national_and_international_form():
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if number is None or not phonenumbers.is_valid_number(number):
            continue
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        national = phonenumbers.national_significant_number(number)
        for written in (e164, e164[1:], national):
            found = parse(written, country=region)
            assert (found.e164, found.kind in DOUBTFUL & ~NumberKind.MACHINE) == (e164, False)


@pytest.mark.parametrize(
    ("written", "country"),
    [("06 12 34 56 7", "FR"), ("+33 06123456", ""), ("0170 123456", "DE"), ("1 336 555 123", "US")],
)
def test_a_trunk_prefix_does_not_make_up_for_a_digit_that_is_missing(written, country):
    with pytest.raises(BadNumber) as refused:
        parse(written, country=country)
    assert refused.value.code == "too_short"
