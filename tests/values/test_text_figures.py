"""Texts at their edges: units, room and breaks of each kind, what becomes of each odd character, and which names are one."""

import pytest

from sms.values import gsm7, problems, text


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("", ("gsm7", 0, 0, 160)),
        ("a" * 160, ("gsm7", 1, 160, 0)),
        ("a" * 161, ("gsm7", 2, 161, 145)),
        ("a" * 306, ("gsm7", 2, 306, 0)),
        ("a" * 307, ("gsm7", 3, 307, 152)),
        ("€" * 80, ("gsm7", 1, 160, 0)),
        ("€" * 81, ("gsm7", 2, 162, 143)),
        ("a" * 152 + "€" + "a" * 10, ("gsm7", 2, 164, 141)),
        ("a" * 151 + "€" + "a" * 10, ("gsm7", 2, 163, 143)),
        ("я" * 70, ("ucs2", 1, 70, 0)),
        ("я" * 71, ("ucs2", 2, 71, 63)),
        ("я" * 134, ("ucs2", 2, 134, 0)),
        ("я" * 135, ("ucs2", 3, 135, 66)),
        ("👋" * 35, ("ucs2", 1, 70, 0)),
        ("👋" * 36, ("ucs2", 2, 72, 61)),
        ("я" * 66 + "👋" + "я" * 10, ("ucs2", 2, 78, 55)),
    ],
)
def test_units_and_room(written, found):
    one = text.segments(written)
    assert (one.encoding, one.count, one.units, one.room) == found
    assert text.is_gsm7(written) == (found[0] == "gsm7")


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("", []),
        ("a" * 160, []),
        ("a" * 161, [153]),
        ("a" * 307, [153, 306]),
        ("€" * 81, [76]),
        ("a" * 152 + "€" + "a" * 10, [152]),
        ("a" * 151 + "€" + "a" * 10, [152]),
        ("я" * 71, [67]),
        ("я" * 66 + "👋" + "я" * 10, [66]),
        ("👋" * 67, [33, 66]),
    ],
)
def test_breaks(written, found):
    assert text.breaks(written) == found


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("“Hi” – it’s…", '"Hi" - it\'s...'),
        ("1½ cups", "1 1/2 cups"),
        ("½ cup", "1/2 cup"),
        ("10²", "10^2"),
        ("m²", "m2"),
        ("e\u0301", "é"),
        ("a\u200bb", "ab"),
        ("a\u00a0b", "a b"),
        ("👋 x", "👋 x"),
        ("👨\u200d👩", "👨\u200d👩"),
        ("1\ufe0f\u20e3", "1\ufe0f\u20e3"),
        ("Τhe", "The"),
        ("Τηε", "Τηε"),
        ("$(naïve’) ’", "$(naïve’) '"),
        ("plain", "plain"),
    ],
)
def test_a_text_in_gsm7_as_far_as_it_goes(written, plain):
    assert text.to_gsm7(written) == plain


def test_culprits_name_place_and_way_out():
    found = [(one.char, one.index, one.suggestion, one.remove) for one in text.culprits("a’b\u200bc日½ 1½")]
    assert found == [
        ("’", 1, "'", False),
        ("\u200b", 3, "", True),
        ("日", 5, "", False),
        ("½", 6, "1/2", False),
        ("½", 9, " 1/2", False),
    ]
    assert text.culprits("plain") == []
    assert [one.name for one in text.culprits("\x01\ue000")] == ["CONTROL CHARACTER U+0001", "U+E000"]


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("", []),
        ("$(a) $(b) $(A) $(a)", ["a", "b"]),
        ("$( first name ) $(First_Name)", ["first name"]),
        ("$() $( ) $(a", []),
        ("$(" + "x" * 200 + ")", ["x" * 200]),
        ("$(" + "x" * 201 + ")", []),
        ("$(a\n)", []),
    ],
)
def test_placeholders(written, names):
    assert text.placeholders(written) == names


def test_a_text_in_pieces():
    pieces = text.filled("Hi $(a)$(b), $(c)", substitutions={"A": "x", "b": "", "z": "y"})
    assert [(one.text, one.name, one.value) for one in pieces] == [
        ("Hi ", "", ""),
        ("x", "a", "x"),
        ("$(b)", "b", None),
        (", ", "", ""),
        ("$(c)", "c", None),
    ]
    assert text.render("Hi $(a)", substitutions={"A": "1", "a": "2"}) == "Hi 2"
    assert text.render("Hi $(a)", substitutions={"A": "1", "Ａ": "3"}) == "Hi 1"
    assert text.render("Hi", substitutions={}) == "Hi"
    with pytest.raises(text.MissingSubstitution) as missing:
        text.render("Hi $(Nobody)", substitutions={"a": "1"})
    assert missing.value.name == "Nobody"
    assert str(missing.value) == "The text uses $(Nobody), but there is no value for it."


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("blank", "required"), ("max_length", "too_long"), ("max_string_length", "too_long"), ("min_length", "too_short"),
        ("max_value", "out_of_range"), ("min_value", "out_of_range"), ("required", "required"), ("odd", "invalid"),
        ("", "invalid"), (None, "invalid"),
    ],
)  # fmt: skip
def test_a_frameworks_code_is_one_of_ours(name, code):
    assert problems.code_of(name) == code


@pytest.mark.parametrize("code", [problems.ProblemCode.DUPLICATE, problems.ProblemCode.OPTED_OUT])
def test_what_is_said_of_one_row_and_of_many(code):
    one, many = problems.rows_text(code, 1), problems.rows_text(code, 1_432)
    assert one.startswith("1 row ") and many.startswith("1,432 rows ")
    assert one.removeprefix("1 row ") != many.removeprefix("1,432 rows ") or "{" not in one
    assert "{" not in many and "|" not in one + many


@pytest.mark.parametrize(
    ("char", "instead"),
    [
        ("a", "a"), ("€", "€"), ("’", "'"), ("\u200b", ""), ("\x07", ""), ("\u0301", ""), ("👋", None), ("🄀", None),
        ("\U0001f0ff", None), ("日", None), ("я", None), ("½", "1/2"), ("Ａ", "A"), ("\u00a0", " "),
    ],
)  # fmt: skip
def test_what_stands_for_a_character(char, instead):
    assert gsm7.replacement(char) == instead
