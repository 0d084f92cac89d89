"""The GSM-7 alphabet against an independent codec, and the replacements against their promises."""

import unicodedata

import pytest
from gsm0338 import Codec
from hypothesis import given
from hypothesis import strategies as st

from sms.values import gsm7

ORACLE = Codec()
ESCAPE = "\x1b"


def septets(text: str) -> int | None:
    """By the oracle; None if GSM-7 cannot say it."""
    try:
        return len(ORACLE.encode(text)[0])
    except UnicodeEncodeError:
        return None


def test_every_character_of_the_bmp_and_beyond_is_judged_as_the_codec_judges_it():
    for point in (*range(0x10000), *range(0x1F000, 0x20000)):
        char = chr(point)
        ours = None if gsm7.FOREIGN.search(char) else 2 if gsm7.EXTENDED.search(char) else 1
        # The codec maps the escape to itself; in a text it would swallow the next character.
        assert ours == (None if char == ESCAPE else septets(char)), f"U+{point:04X}"
        assert (char in gsm7.ALPHABET) == (ours is not None)


def test_the_tables_are_in_the_order_of_the_standard():
    assert len(gsm7.BASIC) == 127
    encoded = ORACLE.encode(gsm7.BASIC)[0]
    assert list(encoded) == [code for code in range(128) if code != 0x1B]
    assert {"\f", "\\", "€", "^", "{", "}", "[", "]", "~", "|"} == set(gsm7.EXTENSION)


def test_every_replacement_in_unicode_is_gsm7():
    given_up = 0
    for point in range(0x110000):
        plain = gsm7.replacement(chr(point)) if not 0xAC00 <= point <= 0xD7A3 else None
        if plain is None:
            given_up += 1
        else:
            assert not gsm7.FOREIGN.search(plain), f"U+{point:04X} → {plain!r}"
    assert given_up > 1_000_000  # a table that replaces everything would pass the line above


@pytest.mark.parametrize(
    ("chars", "plain"),
    [
        ("‘’‚‛′´`ʼ", "'"),
        ("“”„‟″«»", '"'),
        ("‐‑‒–—―−•●▪◦‣", "-"),
        ("…", "..."),
        ("\u00a0\u1680\u2000\u2002\u2003\u2009\u200a\u202f\u205f\u3000\t", " "),
        ("\u2028\u2029\u0085\u000b", "\n"),
        ("\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\u2066\ufeff\ufe0f\x00\x1b\x7f\u0301", ""),
        ("áâãāăą", "a"),
        ("ÁÂÃ", "A"),
        ("êëēę", "e"),
        ("ç", "c"),
        ("ǻ", "å"),  # the nearest letter that GSM-7 has, not the barest
        ("ǘ", "ü"),
        ("ệ", "e"),
        ("łŁđĐøØ", None),
        ("ł", "l"),
        ("Œ", "OE"),
        ("ŒÐ", None),
        ("œ", "oe"),
        ("ẞ", "SS"),
        ("Þ", "Th"),
        ("ı", "i"),
        ("ﬁ", "fi"),
        ("ﬀ", "ff"),
        ("ﬆ", "st"),
        ("ĳ", "ij"),
        ("Ａ", "A"),
        ("！", "!"),
        ("７", "7"),
        ("￥", "¥"),
        ("©", "(C)"),
        ("®", "(R)"),
        ("™", "(TM)"),
        ("№", "No"),
        ("½", "1/2"),
        ("≠", "!="),
        ("≤", "<="),
        ("→", "->"),
        ("×", "x"),
        ("₹", "Rs"),
        ("АА", "A"),
        ("а", "a"),
        ("о", "o"),
        ("Н", "H"),
        ("ё", "e"),
        ("Ο", "O"),
        ("ο", "o"),
        ("Ά", "A"),
        ("Ω", "Ω"),  # the ohm sign is the Greek letter
        ("𝐀", "A"),
        ("Ⅳ", "IV"),
    ],
)
def test_a_character_is_replaced_by_what_reads_the_same(chars, plain):
    if plain is None:
        assert len({gsm7.replacement(char) for char in chars}) > 1
        return
    assert {gsm7.replacement(char) for char in chars} == {plain}


@pytest.mark.parametrize("char", "😀👨❤✈☎✔⭐🇬🅰🆗ℹⓂ㊗漢字ひカｶ한ㅎابשनกЖюλπ≮∞√°♥\u0338\ud800")
def test_emoji_cjk_and_other_scripts_get_no_replacement(char):
    assert gsm7.replacement(char) is None


def test_look_alikes_are_greek_or_cyrillic_letters_and_latin_ones():
    for stray, latin in gsm7.LOOKALIKES.items():
        assert unicodedata.name(stray).startswith(("GREEK ", "CYRILLIC "))
        assert unicodedata.name(latin).startswith("LATIN ")
        assert stray.isupper() == latin.isupper() or stray == "\u04c0", stray


@given(st.text())
def test_a_text_without_foreign_characters_encodes_and_no_other_does(text):
    encodes = septets(text) is not None and ESCAPE not in text
    assert (gsm7.FOREIGN.search(text) is None) == encodes
