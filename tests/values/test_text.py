"""Segments against two oracles, culprits against what they promise, and a row's values in a text."""

import pytest
from gsm0338 import Codec
from hypothesis import given
from hypothesis import strategies as st

from sms.values.text import (
    MissingSubstitution,
    TextLength,
    culprits,
    match_key,
    placeholders,
    render,
    segments,
    to_gsm7,
)

ORACLE = Codec()
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"  # 11 UTF-16 units


def gsm(count: int, units: int, room: int) -> TextLength:
    return TextLength(encoding="gsm7", count=count, units=units, room=room)


def ucs(count: int, units: int, room: int) -> TextLength:
    return TextLength(encoding="ucs2", count=count, units=units, room=room)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", gsm(0, 0, 160)),
        ("a", gsm(1, 1, 159)),
        ("a" * 153, gsm(1, 153, 7)),
        ("a" * 160, gsm(1, 160, 0)),
        ("a" * 161, gsm(2, 161, 145)),
        ("a" * 306, gsm(2, 306, 0)),
        ("a" * 307, gsm(3, 307, 152)),
        ("a" * 459, gsm(3, 459, 0)),
        ("a" * 612, gsm(4, 612, 0)),
        ("a" * 765, gsm(5, 765, 0)),
        ("a" * 766, gsm(6, 766, 152)),
        # The euro is an escape and a character.
        ("€", gsm(1, 2, 158)),
        ("a" * 158 + "€", gsm(1, 160, 0)),
        ("a" * 159 + "€", gsm(2, 161, 145)),
        ("€" * 80, gsm(1, 160, 0)),
        # Across the boundary of 153 it moves over as a whole and leaves a septet unused.
        ("a" * 151 + "€" + "a" * 153, gsm(2, 306, 0)),
        ("a" * 152 + "€" + "a" * 151, gsm(2, 305, 0)),
        ("a" * 152 + "€" + "a" * 152, gsm(3, 306, 152)),
        ("€" * 153, gsm(3, 306, 151)),  # 76 a segment
        ("\f\\", gsm(1, 4, 156)),
        ("{{smartlink_4371}}", gsm(1, 22, 138)),
        ("é à ß Δ Ω", gsm(1, 9, 151)),
        ("\x1b", ucs(1, 1, 69)),
        ("`", ucs(1, 1, 69)),
        ("ж" * 70, ucs(1, 70, 0)),
        ("ж" * 71, ucs(2, 71, 63)),
        ("ж" * 134, ucs(2, 134, 0)),
        ("ж" * 135, ucs(3, 135, 66)),
        ("ж" * 335, ucs(5, 335, 0)),
        ("😀", ucs(1, 2, 68)),
        ("a" * 68 + "😀", ucs(1, 70, 0)),
        ("a" * 69 + "😀", ucs(2, 71, 63)),
        # Across the boundary of 67.
        ("a" * 65 + "😀" + "a" * 67, ucs(2, 134, 0)),
        ("a" * 66 + "😀" + "a" * 65, ucs(2, 133, 0)),
        ("a" * 66 + "😀" + "a" * 66, ucs(3, 134, 66)),
        ("😀" * 67, ucs(3, 134, 65)),  # 33 a segment
        (FAMILY, ucs(1, 11, 59)),
        (FAMILY * 6, ucs(1, 66, 4)),
        (FAMILY * 7, ucs(2, 77, 56)),  # the seventh moves over from unit 66
        # In UCS-2 the euro is one unit, and so is every character that GSM-7 would have escaped.
        ("€" * 69 + "ж", ucs(1, 70, 0)),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_a_text_has_its_segments(text, expected):
    assert segments(text) == expected


def packed_by_hand(text: str) -> tuple[str, int, int]:
    """(encoding, segments, free units), one character at a time, with the codec's sizes. Slow and plain on purpose."""
    try:
        sizes = [len(ORACLE.encode(char)[0]) for char in text]
        encoding, alone, each = "gsm7", 160, 153
    except UnicodeEncodeError:
        sizes = [len(char.encode("utf-16-le")) // 2 for char in text]
        encoding, alone, each = "ucs2", 70, 67
    if sum(sizes) <= alone:
        return encoding, min(1, len(text)), alone - sum(sizes)
    parts = [0]
    for size in sizes:
        if parts[-1] + size > each:
            parts.append(0)
        parts[-1] += size
    return encoding, len(parts), each - parts[-1]


_around_boundaries = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("a€"), st.integers(1, 160)),
        st.tuples(st.sampled_from("aж😀€"), st.integers(1, 80)),
        st.tuples(st.sampled_from(["€a", "😀a", FAMILY]), st.integers(1, 20)),
    ),
    max_size=5,
).map(lambda runs: "".join(piece * times for piece, times in runs))


@given(_around_boundaries | st.text(alphabet="ab€[]^\n", max_size=700) | st.text())
def test_segments_are_those_of_packing_one_character_after_the_other(text):
    if "\x1b" in text:  # the codec takes the escape for a character
        return
    ours = segments(text)
    assert (ours.encoding, ours.count, ours.room) == packed_by_hand(text)


@given(st.text())
def test_units_are_the_bytes_of_an_independent_encoder(text):
    ours = segments(text)
    if ours.encoding == "gsm7":
        assert ours.units == len(ORACLE.encode(text)[0])
    else:
        assert ours.units == len(text.encode("utf-16-le")) // 2


def test_a_culprit_has_its_place_its_name_and_what_could_stand_there():
    found = culprits("It’s 5 € – ok…\u200b")
    assert [(each.char, each.index, each.name, each.suggestion, each.remove) for each in found] == [
        ("’", 2, "RIGHT SINGLE QUOTATION MARK", "'", False),
        ("–", 9, "EN DASH", "-", False),
        ("…", 13, "HORIZONTAL ELLIPSIS", "...", False),
        ("\u200b", 14, "ZERO WIDTH SPACE", "", True),
    ]


def test_a_control_character_has_a_name_too():
    assert [(each.name, each.suggestion) for each in culprits("a\tb\x1b")] == [
        ("CONTROL CHARACTER U+0009", " "),
        ("CONTROL CHARACTER U+001B", ""),
    ]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("", ""),
        ("Nothing to do: £5, é, €3 {x}", "Nothing to do: £5, é, €3 {x}"),
        ("“Smart” quotes — it’s…\u00a0done", '"Smart" quotes - it\'s... done'),
        ("\ufeffHi\u200b there", "Hi there"),
        ("Façade, naïve, São, Łódź", "Facade, naive, Sao, Lodz"),
        # Accents that came apart from their letters: GSM-7 has é, it has no ă.
        ("cafe\u0301, a\u0306", "café, a"),
        ("e\u200b\u0301", "e"),
        # Strays from another keyboard, in a word and alone.
        ("Неllо, РIN 4 С", "Hello, PIN 4 C"),
        # A language is not a stray.
        ("Привет, о", "Привет, о"),
        ("Καλημέρα Ο", "Καλημέρα Ο"),
        # Greek in capitals fits once the look-alikes are Latin, as Greek phones have always done it.
        ("ΚΑΛΗΜΕΡΑ", "KAΛHMEPA"),
        # Digits stay apart from digits.
        ("1½ and ½", "1 1/2 and 1/2"),
        ("10² m²", "10^2 m2"),
        ("5① ①", "5① 1"),
        ("１２３", "123"),
        # Emoji and what belongs to them stay; the rest of the text is still put right.
        (FAMILY + " “hi”", FAMILY + ' "hi"'),
        ("❤\ufe0f 1\ufe0f\u20e3 ™\ufe0f", "❤\ufe0f 1\ufe0f\u20e3 (TM)"),
        ("漢字　ok", "漢字 ok"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        # Names of placeholders are names.
        ("$(prénom naïf) naïf {{smartlink_12}}", "$(prénom naïf) naif {{smartlink_12}}"),
        ("$(имя) РIN", "$(имя) PIN"),
        ("$(cafe\u0306) cafe\u0306", "$(cafe\u0306) cafe"),
    ],
    ids=repr,
)
def test_a_text_is_put_into_gsm7_as_far_as_it_goes(text, plain):
    assert to_gsm7(text) == plain


_messy = st.text() | st.text(
    alphabet="ab1 $()’–…½²①éａ\u0301\u0306\u200b\u200d\ufe0f\u20e3\x00\x1b\tаовжΑλ😀❤漢\u00a0ç\u0338",
    max_size=40,
)


@given(_messy)
def test_culprits_are_exactly_the_characters_that_force_ucs2(text):
    found = culprits(text)
    assert bool(found) == (segments(text).encoding == "ucs2")
    rest = "".join(char for at, char in enumerate(text) if at not in {each.index for each in found})
    assert segments(rest).encoding == "gsm7"
    for each in found:
        assert text[each.index] == each.char
        assert segments(each.suggestion).encoding == "gsm7"
        assert each.name
        assert not (each.remove and each.suggestion)


@given(_messy)
def test_once_put_into_gsm7_nothing_more_is_suggested(text):
    plain = to_gsm7(text)
    assert to_gsm7(plain) == plain
    assert not [each for each in culprits(plain) if each.suggestion or each.remove]


@given(_messy)
def test_putting_into_gsm7_never_touches_a_placeholder(text):
    kept = iter(placeholders(to_gsm7(text)))
    assert all(name in kept for name in placeholders(text))


def test_placeholders_are_named_in_order_and_once_each():
    text = "Hi $(name), $( Order No ) $(order_no) $(NAME) $() $( ) $(no\nend) $(x-y) {{smartlink_1}} $5 (a) $(last"
    assert placeholders(text) == ["name", "Order No", "x-y"]


@pytest.mark.parametrize(
    "spelling",
    [
        "First Name",
        "first_name",
        "FIRST-NAME",
        " firstname ",
        "First\u00a0Name",
        "\ufeffFirst Name",
        "first\u2013name",
        "ﬁrst name",
    ],
)
def test_spellings_of_a_name_are_one_name(spelling):
    assert match_key(spelling) == "firstname"


def test_different_names_stay_different():
    assert (
        len({match_key(name) for name in ("name", "name2", "prénom", "prenom", "имя", "-", "_", "名")}) == 8
    )


@given(st.text())
def test_a_match_key_is_its_own_key(name):
    assert match_key(match_key(name)) == match_key(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No holes at all $5 {{smartlink_4371}}", "No holes at all $5 {{smartlink_4371}}"),
        ("Hi $(name), order $(order) is on its way.", "Hi Ann, order $(name) is on its way."),
        ("$(NAME)$( name )", "AnnAnn"),
        ("$(First-Name) $(first name)", "Bo Bo"),
        ("$(empty)|", "|"),
        ("$(back)", r"\1 \g<0> $1"),
        ("$(name) {{smartlink_7}} $(nam", "Ann {{smartlink_7}} $(nam"),
    ],
)
def test_a_row_is_rendered_in_one_pass(text, expected):
    row = {"name": "Ann", "order": "$(name)", "First Name": "Bo", "empty": "", "back": r"\1 \g<0> $1"}
    assert render(text, substitutions=row) == expected


def test_an_exact_name_wins_and_then_the_first_that_reads_the_same():
    row = {"Name": "first", "NAME": "second"}
    assert render("$(NAME) $(name)", substitutions=row) == "second first"


def test_a_placeholder_without_a_value_is_named_as_it_is_spelled():
    with pytest.raises(MissingSubstitution, match=r"\$\(Order No\)") as missing:
        render("$(name) $( Order No )", substitutions={"name": "Ann"})
    assert missing.value.name == "Order No"


@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True), st.text(), min_size=1),
    st.text(alphabet="x (){}$"),
)
def test_values_come_out_unchanged_between_the_literals(row, literal):
    text = "".join(f"{literal}\n$({name})" for name in row)
    expected = "".join(f"{literal}\n{value}" for value in row.values())
    if placeholders(literal):
        return
    assert render(text, substitutions=row) == expected


@pytest.mark.parametrize(
    "text",
    ["$(" * 50_000, "’" * 20_000, "€" * 100_000, "аж" * 20_000, "e\u0301" * 20_000, "😀\u200d" * 20_000],
)
def test_a_huge_text_is_measured_too(text):
    """How fast is for `tests/bench/text.py`."""
    length = segments(text)
    assert length.units >= 20_000 and length.count > 200
    assert len(placeholders(text)) <= 1 and to_gsm7(text) and isinstance(culprits(text), list)
