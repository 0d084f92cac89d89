"""Numbers and tables pasted into the box."""

import pytest

from sms.audiences.files import AudienceError, Limits, read_pasted


def pasted(text, **options):
    audience = read_pasted(text, country="GB", **options)
    return (
        [(one.row, one.msisdn[-3:], one.substitutions) for one in audience.recipients],
        [(one.row, one.code) for one in audience.rejects],
    )


@pytest.mark.parametrize(
    ("text", "given", "refused"),
    [
        ("07712345678", [(1, "678", {})], []),
        ("07712345678\r\n\r\n07712 345679\r\n", [(1, "678", {}), (3, "679", {})], []),
        ("07712345678, 07712345679; 07712345670", [(1, "678", {}), (2, "679", {}), (3, "670", {})], []),
        ("+447712345678 +447712345679", [(1, "678", {}), (2, "679", {})], []),
        ("07712345678\n07712345678", [(1, "678", {})], [(2, "duplicate")]),
        ("hello\n07712345678", [(2, "678", {})], [(1, "not_a_number")]),
        ("0771234S678\n07712345678", [(2, "678", {})], [(1, "not_a_number")]),
        ("07712345678\nAnna, 07712345679", [(1, "678", {}), (3, "679", {})], [(2, "not_a_number")]),
        ("Mobile\n07712345678\nx", [(2, "678", {})], [(3, "not_a_number")]),
        ("Name\tMobile\r\nAnna\t07712345678", [(2, "678", {"Name": "Anna"})], []),
        (
            "Anna, 07712345678\nBo, 07712345679",
            [(1, "678", {"column A": "Anna"}), (2, "679", {"column A": "Bo"})],
            [],
        ),
    ],
)
def test_paste_is_read_as_people_mean_it(text, given, refused):
    assert pasted(text) == (given, refused)


@pytest.mark.parametrize("text", ["", "  \n\t\n", "\ufeff"])
def test_empty_paste_says_what_to_do(text):
    with pytest.raises(AudienceError) as refused:
        read_pasted(text, country="GB")
    assert refused.value.code == "empty"
    assert "one per line" in str(refused.value)


def test_paste_over_a_limit_is_refused():
    with pytest.raises(AudienceError) as refused:
        read_pasted("07712345678\n" * 11, country="GB", limits=Limits(rows=10))
    assert refused.value.code == "too_many_rows"
    with pytest.raises(AudienceError) as refused:
        read_pasted("07712345678\n" * 11, country="GB", limits=Limits(bytes=100))
    assert refused.value.code == "too_large"


def test_column_of_a_pasted_table_can_be_chosen():
    given, _ = pasted("Mobile,Other\n07712345678,07712345679", column="other")
    assert given == [(2, "679", {"Mobile": "07712345678"})]
