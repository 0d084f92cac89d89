"""Which column holds the numbers, and what the columns are called."""

import io

import pytest

from sms.audiences.files import AudienceError, read

ONE, TWO = "07712345678", "07712345679"


def reading(*lines, **options):
    return read(io.BytesIO("\n".join(lines).encode()), name="x.csv", country="GB", **options)


@pytest.mark.parametrize(
    "heading",
    ["msisdn", "MSISDN", "Number", "mobile", "Phone", "Telephone", "CELL", "Mobile number", "mobile_no", "Customer's cell phone",
     "PhoneNumber", "phonenumber", "customerMobile", "to_msisdn", "Mobile (UK)", "  Mobile  ", "Phone numbers", "Telephone:", "№ mobile",
     "Tel.", "Téléphone portable", "N° de téléphone", "NUMERO MOBILE", "Numéro", "Móvil", "Número de móvil", "movil", "Teléfonos",
     "Celular", "Handynummer", "Mobilnummer", "Telefon-Nr.", "Rufnummern", "رقم الجوال", "الهاتف", "Te\u0301le\u0301phone"],
)  # fmt: skip
def test_column_is_found_by_its_heading_even_if_no_number_in_it_is_good(heading):
    audience = reading(f"Name,{heading},Ref", f"A,nobody,{ONE}")
    assert audience.column == heading.strip()
    assert [one.code for one in audience.rejects] == ["not_a_number"]


@pytest.mark.parametrize(
    "heading",
    [
        "Cancelled",
        "Excellent",
        "Automobile club",
        "Numerous",
        "No",
        "Contact",
        "Microphones x",
        "Teller",
        "Hotel",
        "Numérique",
        "Nr.",
    ],
)
def test_heading_that_only_looks_alike_is_no_reason(heading):
    audience = reading(f"{heading},To", f"x,{ONE}", f"y,{TWO}")
    assert audience.column == "To"


@pytest.mark.parametrize(
    ("headings", "row", "column"),
    [
        ("Phone,Mobile", f"02079460000,{ONE}", "Mobile"),
        ("Number,Phone", f"17,{ONE}", "Phone"),
        ("Work phone,Phone", f"{TWO},{ONE}", "Phone"),
        ("Order number,Mobile", f"{TWO},{ONE}", "Mobile"),
        ("Order number,Contact", f"A-17,{ONE}", "Contact"),
        ("House number,Mobile number", f"17,{ONE}", "Mobile number"),
        ("Order number,Ref", "A-17,x", "Order number"),
        ("Home phone,Work phone", f",{ONE}", "Work phone"),
        ("Teléfono,Móvil", f"02079460000,{ONE}", "Móvil"),
        ("Numéro de client,Portable", f"17,{ONE}", "Portable"),
        ("Kundennummer,Handy", f"17,{ONE}", "Handy"),
        ("Name,To,Date", f"A,{ONE},03/11/2026", "To"),
        ("Name,To,Ref", f"A,{ONE},1234567", "To"),
        ("Name,,Town", f"A,{ONE},B", "column B"),
    ],
)
def test_surest_column_is_taken(headings, row, column):
    assert reading(headings, row).column == column


@pytest.mark.parametrize(
    ("headings", "row"),
    [
        ("Name,Town", "A,B"),
        ("Home phone,Work phone", f"{ONE},{TWO}"),
        ("To,Cc", f"{ONE},{TWO}"),
        ("Name,Day", "A,03/11/2026"),
    ],
)
def test_doubt_is_an_error_that_lists_the_headings(headings, row):
    with pytest.raises(AudienceError) as refused:
        reading(headings, row)
    assert refused.value.code == "no_column"
    for heading in headings.split(","):
        assert heading in str(refused.value)


@pytest.mark.parametrize("column", ["Work phone", "work_phone", " WORK PHONE "])
def test_chosen_column_wins(column):
    audience = reading("Mobile,Work phone", f"{ONE},{TWO}", column=column)
    assert audience.column == "Work phone"
    assert audience.recipients[0].msisdn == "+447712345679"
    assert audience.recipients[0].substitutions == {"Mobile": ONE}


def test_unknown_column_is_an_error_that_lists_the_headings():
    with pytest.raises(AudienceError) as refused:
        reading("Mobile,Name", f"{ONE},A", column="Handy")
    assert refused.value.code == "unknown_column"
    assert str(refused.value) == "There is no column “Handy”. The headings are: Mobile, Name."


def test_numbers_without_headings_are_all_read():
    audience = reading(ONE, TWO)
    assert (audience.headings, audience.column) == (["number"], "number")
    assert [one.row for one in audience.recipients] == [1, 2]


def test_table_without_headings_gets_the_letters_of_its_columns():
    audience = reading(f"Anna,{ONE},x", f"Bo,{TWO},")
    assert audience.headings == ["column A", "number", "column C"]
    assert audience.recipients[0].substitutions == {"column A": "Anna", "column C": "x"}


def test_mistyped_first_number_is_a_reject_and_no_heading():
    audience = reading("0771234S678", ONE)
    assert [(one.row, one.code) for one in audience.rejects] == [(1, "not_a_number")]
    assert [one.row for one in audience.recipients] == [2]


def test_headings_alone_are_an_empty_audience():
    audience = reading("Mobile,Name")
    assert (audience.recipients, audience.rejects, audience.headings) == ([], [], ["Mobile", "Name"])


def test_headings_met_twice_are_distinguished():
    audience = reading("Mobile,Name,name,Name,Name (2)", f"{ONE},a,b,c,d")
    assert audience.headings == ["Mobile", "Name", "name (3)", "Name (4)", "Name (2)"]
    assert list(audience.recipients[0].substitutions.values()) == ["a", "b", "c", "d"]


def test_columns_without_heading_or_data_are_left_out():
    audience = reading("Mobile,,Name,,,", f"{ONE},,A,,,")
    assert audience.headings == ["Mobile", "Name"]
    assert audience.recipients[0].substitutions == {"Name": "A"}


def test_column_of_data_without_heading_is_called_by_its_letter():
    audience = reading("Mobile,Name,", f"{ONE},A,note")
    assert audience.recipients[0].substitutions == {"Name": "A", "column C": "note"}


def test_first_row_with_broken_quotation_marks_is_an_error():
    with pytest.raises(AudienceError) as refused:
        reading('Mobile,"Name', f"{ONE},A", f"{TWO},B")
    assert refused.value.code == "broken_quotes"
