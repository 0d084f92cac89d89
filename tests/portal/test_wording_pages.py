"""The page of a template's wording: a row for each placeholder, and the phone beside it; and a template as the start of one's own text."""

import re

import pytest
from django.utils.html import strip_tags

from sms.catalogue import templates
from sms.catalogue.placeholder_rules import Placeholder, placeholders_of
from sms.catalogue.templates import Wording
from sms.models import Draft
from tests.support.people import a_cast
from tests.support.recurring import a_list
from tests.support.sends import BY
from tests.support.wordings import rows

pytestmark = pytest.mark.django_db
NEW, PREVIEW = "/s/shop/templates/new/", "/s/shop/templates/preview/"


@pytest.fixture
def cast():
    return a_cast()


def words(page) -> str:
    return " ".join(strip_tags(page.content.decode()).split())


def named(page) -> list[str]:
    return re.findall(r'name="place-\d+-name" value="([^"]*)"', page.content.decode())


def test_each_placeholder_of_the_text_gets_a_row_and_keeps_what_was_typed(cast):
    typed = {"name": "", "text": "Hi $(name), $(amount) is due", "look": "1"}
    page = cast["admin"].post(NEW, typed | rows(amount={"kind": "number", "example": "5"}))
    assert page.status_code == 200 and "required" not in words(page), "nothing was to be saved yet"
    assert named(page) == ["name", "amount"]
    assert "Hi [name], 5 is due" in words(page)
    typed = {"name": "due", "text": "Hi $(name), $(amount) is due"}
    places = rows(name={"fallback": "you"}, amount={"kind": "number", "example": "5", "longest": "9"}, old={})
    assert cast["admin"].post(NEW, typed | places).status_code == 302
    made = cast.service.templates.get()
    assert placeholders_of(templates.published(made)) == [
        Placeholder("name", fallback="you"),
        Placeholder("amount", "number", "5", max_length=9),
    ], "a row that holds nothing and that the text does not name is left out"
    page = cast["admin"].get(f"/s/shop/templates/{made.pk}/edit/")
    assert named(page) == ["name", "amount"] and 'value="9"' in page.content.decode()


def test_the_phone_counts_with_the_longest_values_or_says_which_are_open(cast):
    def seen(**places) -> str:
        return words(cast["admin"].post(PREVIEW, {"text": "Hi $(a) $(b)"} | rows(**places)))

    assert "At least 1 segment (GSM-7): $(b) has no longest length." in seen(a={"longest": "20"}, b={})
    assert "At most 2 segments (GSM-7)." in seen(a={"longest": "200"}, b={"longest": "1"})
    page = cast["admin"].post(PREVIEW, {"text": "Hi $(a) $(c)"} | rows(a={"example": "Ada"}, b={}))
    assert 'id="wording-rows" hx-swap-oob="true"' in page.content.decode() and named(page) == ["a", "c"]
    same = cast["admin"].post(PREVIEW, {"text": "Hi $(a)"} | rows(a={"example": "Ada"}))
    assert "wording-rows" not in same.content.decode(), "a row that is being typed in is not drawn again"
    assert cast["composer"].post(PREVIEW, {"text": "Hi"}).status_code == 403


def test_placeholders_of_a_template_that_the_provider_keeps_are_named_by_hand(cast):
    page = cast["admin"].get(NEW)
    assert 'name="place-0-name"' in page.content.decode()
    typed = {"name": "kept", "text": "", "provider_id": "5S2"}
    twice = cast["admin"].post(NEW, typed | rows(first={}, second={}) | {"place-1-name": "first"})
    assert twice.status_code == 302, "two rows of one name are one"
    made = cast.service.templates.get()
    assert [one.name for one in placeholders_of(templates.published(made))] == ["first"]


def test_columns_of_saved_lists_are_offered(cast):
    a_list(cast.service, user=cast.users["admin"])
    heading = cast.service.audiences.get().current.headings[-1]
    assert f'data-insert="$({heading})"' in cast["admin"].get(NEW).content.decode()


def test_a_template_is_the_start_of_a_text_of_ones_own(cast):
    made = templates.create(cast.service, "due", Wording("Hi $(name), it is due."), by=BY)
    page = cast["composer"].get(f"/s/shop/templates/{made.pk}/").content.decode()
    start = re.search(r'href="([^"]+start=\d+)"', page)[1]
    assert "Hi $(name), it is due.</textarea>" in cast["composer"].get(start).content.decode()
    draft = Draft.objects.create(service=cast.service, template=made, name="Dues")
    at = f"/s/shop/drafts/{draft.pk}/"
    mine = {"template": made.pk, "text": "My own", "own_text": "1", "when": "now"}
    kept = cast["composer"].post(at, mine, follow=True)
    draft.refresh_from_db()
    assert (draft.text, draft.template) == ("My own", made), "what is written is not written over"
    assert "You have written a text already" in kept.content.decode()
    cast["composer"].post(
        at, {"template": made.pk, "own_text": "1", "revision": draft.revision, "when": "now"}
    )
    draft.refresh_from_db()
    assert (draft.text, draft.template) == ("Hi $(name), it is due.", None)
    again = cast["composer"].post(at, {"text": draft.text, "own_text": "1", "when": "now"}, follow=True)
    assert "Choose a template with a text first." in again.content.decode()
