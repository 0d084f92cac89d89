"""Findings about a text, and the words that changed."""

import pytest

from sms.catalogue.text_hints import lint, unknown
from sms.values.diff import changes


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Sale today", "opt_out"),
        ("Look at bit.ly/x. STOP to opt out", "shortener"),
        ("See http://shop.example STOP", "plain_link"),
        ("Your P\u0430ypal code. STOP", "look_alike"),
        ("Reply STOP ", "space"),
    ],
)
def test_each_finding_is_found_alone(text, code):
    assert [one.code for one in lint(text)] == [code]


@pytest.mark.parametrize(
    "text",
    ["Reply STOP", "See https://rabbit.ly/x STOP", "Привет, STOP", "Hi $(nаme) STOP", "mail a@t.co STOP"],
)
def test_nothing_is_found_where_nothing_is_wrong(text):
    assert lint(text) == []


@pytest.mark.parametrize(
    ("written", "ours"), [("{{x}}", "$(x)"), ("%name%", "$(name)"), ("${name}", "$(name)")]
)
def test_another_placeholder_syntax_is_named_with_ours(written, ours):
    (sentence,) = unknown(f"Hi {written}")
    assert written in sentence
    assert ours in sentence


def test_smartlinks_and_percentages_are_no_placeholders():
    assert unknown("20% off, 30% off {{smartlink_7}} $(name)") == []


def test_changes_are_words_and_make_both_texts():
    old, new = "Hi $(name), your order is here.", "Hi $(first name), your parcel is here!"
    pieces = changes(old, new)
    assert "".join(one.text for one in pieces if one.kind != "new") == old
    assert "".join(one.text for one in pieces if one.kind != "gone") == new
    assert [one.text for one in pieces if one.kind == "gone"] == ["$(name)", "order", "."]
