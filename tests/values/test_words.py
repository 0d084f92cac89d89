"""Numbers, days and lists in the reader's language, and sentences that are stored in English and read in another."""

import re
from datetime import UTC, datetime, time

import pytest
from django.utils import translation
from django.utils.translation import trans_real
from hypothesis import given
from hypothesis import strategies as st

from sms.words import KeptSentence, in_language, listed, moment, number, retold
from tests.support.strange_letters import CODE, StrangeLetters, strange

AT = datetime(2026, 12, 3, 9, 5, tzinfo=UTC)
STOPPED = KeptSentence("Stopped by %(who)s: %(share)s %% of %(all)s failed.")


KeptSentence.known.remove(STOPPED)  # it is none of the product's


@pytest.fixture(autouse=True, scope="module")
def known():
    """Only ours: which of the product's are known depends on what other tests have imported before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(KeptSentence, "known", [STOPPED])
        yield


@pytest.fixture
def other_letters(monkeypatch):
    monkeypatch.setitem(trans_real._translations, CODE, StrangeLetters({STOPPED.text}))
    with in_language(CODE):
        yield


def test_numbers_days_and_lists_go_by_the_language():
    assert (number(1_234_567), moment(AT, "j M Y, H:i T")) == ("1,234,567", "3 Dec 2026, 09:05 UTC")
    assert [listed(some) for some in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert moment(time(9, 5), "H:i") == "09:05"
    with in_language("fr"):
        assert number(1_234_567) == "1\xa0234\xa0567"
        assert moment(AT, "j F Y") == "3 décembre 2026"
    with in_language("de"):
        assert number(1234.5) == "1.234,5"
    with in_language("fr"), in_language(""):
        assert translation.get_language() == "en-gb"


def test_a_stored_sentence_is_english_whoever_acts(other_letters):
    assert STOPPED(who="Ada", share=30, all="1,200") == "Stopped by Ada: 30 % of 1,200 failed."


def test_a_stored_sentence_is_read_in_the_readers_language(other_letters):
    kept = STOPPED(who="Ada", share=30, all="1,200")
    said = strange("Stopped by %(who)s: %(share)s %% of %(all)s failed.") % {
        "who": "Ada",
        "share": 30,
        "all": "1,200",
    }
    assert retold(kept) == said


def test_a_name_that_is_also_a_word_stays_a_name():
    with in_language("fr"):
        assert retold(STOPPED(who="May", share=30, all=9)) == "Stopped by May: 30 % of 9 failed."


def test_in_english_a_stored_sentence_stays_as_it_is():
    assert retold("Stopped by Ada: 30 % of 1,200 failed.") == "Stopped by Ada: 30 % of 1,200 failed."


def test_sentences_that_were_stored_together_are_each_known():
    kept = STOPPED(who="Ada", share=30, all=9)
    with in_language("fr"):
        # of Django's own catalogue
        assert retold(f"{kept} Monday") == f"{kept} Monday".replace("Monday", "lundi")
        assert retold(f"Monday\n{kept}\n\nIt rains.") == f"lundi\n{kept}\n\nIt rains."


@given(st.text(), st.text(min_size=1), st.text(min_size=1))
def test_what_fills_a_stored_sentence_is_found_again_or_left(words, who, share):
    with in_language("fr"):
        assert retold(STOPPED(who=who, share=share, all=1)).endswith("1 failed.")
        assert isinstance(retold(words), str)


@given(st.lists(st.sampled_from([": ", " % of ", "a", "Stopped by ", " failed."]), max_size=12).map("".join))
def test_a_sentence_is_read_as_a_pattern_would(kept):
    found = re.fullmatch(r"Stopped by (.*?): (.*?) % of (.*?) failed\.", kept)
    assert (STOPPED.read(kept) is None) == (found is None)
    if (facts := STOPPED.read(kept)) is not None:
        assert STOPPED(**facts) == kept


def test_a_long_text_is_read_in_one_go():
    """By counting: a pattern that tries each way would not end within the years of a desk."""
    many = KeptSentence(" ".join(f"%(n{place})s" for place in range(12)) + " failed.")
    KeptSentence.known.remove(many)
    assert many.read("x " * 5000 + "failed") is None
