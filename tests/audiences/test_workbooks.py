"""XLSX (and its kin): what a person sees in the cells is what is read."""

import datetime
import io

import pytest
import xlsxwriter

from sms.audiences.files import AudienceError, read


def workbook(fill, **sheets):
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False})
    fill(book)
    book.close()
    return content.getvalue()


def one_sheet(*rows, formats=None):
    def fill(book):
        sheet = book.add_worksheet()
        for at, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                style = (
                    book.add_format({"num_format": formats[column]})
                    if formats and at and formats[column]
                    else None
                )
                sheet.write(at, column, cell, style)

    return workbook(fill)


def reading(content, country="GB", **options):
    return read(io.BytesIO(content), name="x.xlsx", country=country, **options)


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (0.25, "0%", "25%"),
        (0.125, "0.0%", "12.5%"),
        (0.125, None, "0.125"),
        (0.1 + 0.2, None, "0.3"),
        (12.0, None, "12"),
        (1e15, None, "1000000000000000"),
        (12.5, "0.00", "12.50"),
        (1234567.891, "#,##0.00", "1,234,567.89"),
        (12.5, "[$£-809]#,##0.00", "£12.50"),
        (12.5, '#,##0.00\\ "€"', "12.50 €"),
        (-3.0, "0.0", "-3.0"),
        (2.345, "0.00", "2.35"),
        (42, "00000", "00042"),
        (5, '0 "pcs"', "5 pcs"),
        (0.5, "# ?/?", "0.5"),
        (True, None, "TRUE"),
        (datetime.date(2026, 11, 3), "dd/mm/yyyy", "03/11/2026"),
        (datetime.date(2026, 11, 3), "d mmm yyyy", "3 Nov 2026"),
        (datetime.date(2026, 11, 3), "dddd d mmmm", "Tuesday 3 November"),
        (datetime.date(2026, 11, 3), "yyyy\\-mm\\-dd", "2026-11-03"),
        (datetime.datetime(2026, 11, 3, 14, 5), "dd/mm/yy hh:mm", "03/11/26 14:05"),
        (datetime.datetime(2026, 11, 3, 14, 5), "d/m h:mm AM/PM", "3/11 2:05 PM"),
        (datetime.time(14, 5), "hh:mm", "14:05"),
        ("  text ", None, "text"),
    ],
)
def test_cell_reads_as_it_shows(value, number_format, shown):
    content = one_sheet(["Mobile", "Value"], [447712345678, value], formats=[None, number_format])
    assert reading(content).recipients[0].substitutions == {"Value": shown}


@pytest.mark.parametrize(
    ("country", "shown"),
    [("GB", "03/11/2026"), ("US", "11/3/2026"), ("DE", "03.11.2026"), ("", "2026-11-03")],
)
def test_short_date_follows_the_country_and_is_iso_where_unknown(country, shown):
    def fill(book):
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Mobile", "Day"])
        sheet.write(1, 0, "+447712345678")
        sheet.write(1, 1, 46329, book.add_format({"num_format": 14}))

    assert reading(workbook(fill), country=country).recipients[0].substitutions == {"Day": shown}


@pytest.mark.parametrize(
    "cell", [447712345678, 447712345678.0, 7712345678, "07712 345678", "+447712345678", '="07712345678"']
)
@pytest.mark.parametrize("number_format", [None, "00000000000", "0.00E+00", "#,##0"])
def test_number_is_read_however_the_cell_holds_and_shows_it(cell, number_format):
    content = one_sheet(["Mobile"], [cell], formats=[number_format])
    assert [one.msisdn for one in reading(content).recipients] == ["+447712345678"]


def test_rows_are_numbered_as_the_sheet_shows_them():
    def fill(book):
        sheet = book.add_worksheet()
        sheet.write_row(4, 2, ["Name", "Mobile"])
        sheet.write_row(6, 2, ["A", 447712345678])
        sheet.write(6, 4, 0.2, book.add_format({"num_format": "0%"}))
        sheet.write_formula(6, 5, "=NA()", None, "#N/A")
        sheet.write_row(9, 2, ["B", "x"])

    audience = reading(workbook(fill))
    assert [one.row for one in audience.recipients] == [7]
    assert [one.row for one in audience.rejects] == [10]
    assert audience.headings == ["Name", "Mobile", "column E", "column F"]
    assert audience.recipients[0].substitutions == {"Name": "A", "column E": "20%"}


def test_first_visible_sheet_with_data_is_read():
    def fill(book):
        book.add_worksheet("Empty")
        hidden = book.add_worksheet("Old")
        hidden.write_row(0, 0, ["Mobile"])
        hidden.write_row(1, 0, ["07712345670"])
        hidden.hide()
        for name, number in (("Now", "07712345678"), ("Next", "07712345679")):
            book.add_worksheet(name).write_column(0, 0, ["Mobile", number])
        book.get_worksheet_by_name("Now").activate()

    assert [one.msisdn for one in reading(workbook(fill)).recipients] == ["+447712345678"]


def test_workbook_with_data_on_hidden_sheets_only_names_the_sheet():
    def fill(book):
        book.add_worksheet("Blank").activate()
        hidden = book.add_worksheet("Old")
        hidden.write(0, 0, "07712345678")
        hidden.hide()

    with pytest.raises(AudienceError) as refused:
        reading(workbook(fill))
    assert refused.value.code == "empty"
    assert "“Old” is hidden" in str(refused.value)


def test_missing_column_names_the_sheet_that_was_read():
    def fill(book):
        book.add_worksheet("Read me").write(0, 0, "Dear colleagues")
        book.add_worksheet("Data").write_column(0, 0, ["Mobile", "07712345678"])

    with pytest.raises(AudienceError) as refused:
        reading(workbook(fill))
    assert "on the sheet “Read me”" in str(refused.value)


def test_row_that_holds_only_an_error_is_still_a_row():
    def fill(book):
        sheet = book.add_worksheet()
        sheet.write_column(0, 0, ["Mobile", "07712345678"])
        sheet.write_formula(2, 0, "=NA()", None, "#N/A")
        sheet.write_string(3, 0, "07712345679")
        sheet.write_formula(5, 0, "=1/0", None, "#DIV/0!")

    audience = reading(workbook(fill))
    assert [(one.row, one.value, one.code) for one in audience.rejects] == [
        (3, "#N/A", "formula_error"),
        (6, "#DIV/0!", "formula_error"),
    ]
    assert [one.row for one in audience.recipients] == [2, 4]


def test_formula_reads_as_its_result():
    def fill(book):
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Mobile", "Sum"])
        sheet.write_formula(1, 0, '="0771"&"2345678"', None, "07712345678")
        sheet.write_formula(1, 1, "=1+1", None, 2)

    recipient = reading(workbook(fill)).recipients[0]
    assert (recipient.msisdn, recipient.substitutions) == ("+447712345678", {"Sum": "2"})


def test_day_under_the_numbers_is_a_reject():
    content = one_sheet(["Mobile"], [datetime.date(2026, 11, 3)], ["07712345678"], formats=["dd/mm/yyyy"])
    assert [(one.row, one.code) for one in reading(content).rejects] == [(2, "date")]


def test_content_decides_and_not_the_name():
    xlsx = one_sheet(["Mobile"], ["07712345678"])
    assert len(read(io.BytesIO(xlsx), name="list.csv", country="GB").recipients) == 1
    assert len(read(io.BytesIO(b"Mobile\n07712345678\n"), name="list.xlsx", country="GB").recipients) == 1
