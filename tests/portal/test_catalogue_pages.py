"""Senders, templates, policy groups and smartlinks as pages: queries, bad input, archive instead of deletion."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sms.catalogue import templates
from sms.models import ContactPolicyGroup, MessageTemplate, Sender, SenderKind, Smartlink, TemplateVersion
from tests.support.people import a_cast, signed_in
from tests.support.provider import Provider, accepted, refused
from tests.support.sends import BY, a_send, a_service
from tests.support.wordings import rows

pytestmark = pytest.mark.django_db
PAGES = ("senders", "templates", "policy-groups", "smartlinks")


@pytest.fixture
def cast():
    return a_cast()


def fill(service, start, stop):
    rows = range(start, stop)
    Sender.objects.bulk_create(
        Sender(service=service, address=str(50_000 + row), kind=SenderKind.SHORT_CODE) for row in rows
    )
    made = MessageTemplate.objects.bulk_create(
        MessageTemplate(service=service, name=f"t{row}", text="Hi") for row in rows
    )
    TemplateVersion.objects.bulk_create(
        TemplateVersion(template=one, number=1, state="published", text="Hi") for one in made
    )
    ContactPolicyGroup.objects.bulk_create(
        ContactPolicyGroup(service=service, name=f"g{row}", group_id="g") for row in rows
    )
    Smartlink.objects.bulk_create(
        Smartlink(service=service, name=f"s{row}", smartlink_id=row + 1) for row in rows
    )


def test_lists_take_at_most_twelve_queries_and_the_same_for_1_30_and_3000_rows(cast):
    taken = {page: set() for page in PAGES}
    done = 0
    for size in (1, 30, 3000):
        fill(cast.service, done, size)
        done = size
        for page in PAGES:
            with CaptureQueriesContext(connection) as queries:
                assert cast["admin"].get(f"/s/shop/{page}/").status_code == 200
            taken[page].add(len(queries))
    assert all(len(counts) == 1 and max(counts) <= 12 for counts in taken.values()), taken


def test_a_used_sender_is_archived_an_unused_one_deleted(cast):
    send = a_send(cast.service)
    free = Sender.objects.create(service=cast.service, address="72345", kind=SenderKind.SHORT_CODE)
    cast["admin"].post(f"/s/shop/senders/{free.pk}/remove/")
    assert not Sender.objects.filter(pk=free.pk).exists()
    cast["admin"].post(f"/s/shop/senders/{send.sender_id}/remove/")
    kept = Sender.objects.get(pk=send.sender_id)
    assert (kept.active, kept.is_default) == (False, False)
    assert "Archived" in cast["composer"].get(f"/s/shop/senders/{kept.pk}/").content.decode()
    cast["admin"].post(f"/s/shop/senders/{kept.pk}/remove/")
    assert Sender.objects.get(pk=kept.pk).active


@pytest.mark.parametrize(
    ("page", "data", "sentence"),
    [
        ("senders", {"kind": "alphanumeric", "address": "SHOP"}, "is in the catalogue already"),
        ("senders", {"kind": "short_code", "address": "12"}, "3 to 8 digits"),
        ("senders", {"kind": "short_code", "address": "12345", "countries": "XX"}, "is not a country"),
        ("policy-groups", {"name": "a", "group_id": "b"}, "Tick at least one"),
        ("smartlinks", {"name": "a", "smartlink_id": "0", "validity": "1"}, "greater than or equal to 1"),
        ("templates", {"name": "a", "text": "Hi {{x}}"}, "Write placeholders like $(x)"),
        ("templates", {"name": "A b", "text": "Hi"}, "lower-case"),
        (
            "templates",
            {"name": "a", "text": "Hi $(x)", **rows(x={"kind": "colour"})},
            "Select a valid choice",
        ),
        (
            "templates",
            {"name": "a", "text": "Hi $(x)", **rows(x={"longest": "0"})},
            "greater than or equal to 1",
        ),
        ("templates", {"name": "a", "text": "Hi", **rows(x={"example": "5"})}, "The text does not use $(x)"),
        ("templates", {"name": "a", "text": ""}, "Write a text or give"),
    ],
)
def test_bad_input_gets_its_sentence_and_stores_nothing(cast, page, data, sentence):
    answer = cast["admin"].post(f"/s/shop/{page}/new/", data)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()


@pytest.mark.parametrize(("address", "says"), [("SHOP", "in the catalogue already"), ("", "required")])
def test_a_sender_hears_one_sentence_about_one_mistake(cast, address, says):
    answer = cast["admin"].post("/s/shop/senders/new/", {"kind": "alphanumeric", "address": address})
    (said,) = answer.context["form"].errors["address"]
    assert says in said


def test_one_default_sender(cast):
    data = {"kind": "short_code", "address": "72345", "is_default": "on", "countries": "gb ie"}
    assert cast["admin"].post("/s/shop/senders/new/", data).status_code == 302
    assert [(one.address, one.countries) for one in cast.service.senders.filter(is_default=True)] == [
        ("72345", "GB, IE")
    ]


def test_a_template_goes_from_draft_to_published_and_a_breaking_change_has_to_be_ticked(cast):
    admin = cast["admin"]
    assert admin.post("/s/shop/templates/new/", {"name": "hi", "text": "Hi $(name)"}).status_code == 302
    made = cast.service.templates.get()
    cast.service.drafts.create(template=made, name="Waiting")
    admin.post(f"/s/shop/templates/{made.pk}/edit/", {"text": "Hi $(first)", "language": ""})
    draft = made.versions.get(state="draft")
    page = admin.get(f"/s/shop/versions/{draft.pk}/").content.decode()
    assert "<del>$(name)</del><ins>$(first)</ins>" in "".join(page.split())
    assert "Waiting" in page
    publish = f"/s/shop/versions/{draft.pk}/publish/"
    assert admin.post(publish).status_code == 422
    assert admin.post(publish, {"seen": "1"}).status_code == 302
    assert templates.published(made) == draft


def test_versions_are_counted_by_ones_and_show_examples_fallbacks_and_names(cast):
    admin = cast["admin"]
    first = {
        "name": "hi",
        "text": "$(a) $(b) $(c)",
        **rows(a={"example": "Ada", "fallback": "friend"}, b={"fallback": "friend"}),
    }
    assert admin.post("/s/shop/templates/new/", first).status_code == 302
    made = cast.service.templates.get()
    page = admin.get(f"/s/shop/versions/{made.versions.get().pk}/").content.decode()
    assert "Ada friend [c]" in page
    edit = f"/s/shop/templates/{made.pk}/edit/"
    for text in ("Second", "Second, changed"):  # a draft is changed, not counted again
        admin.post(edit, {"text": text, "language": ""})
    admin.post(edit, {"text": "Zweite", "language": "de"})
    assert sorted(made.versions.values_list("number", "text")) == [
        (1, "$(a) $(b) $(c)"),
        (2, "Second, changed"),
        (3, "Zweite"),
    ]


def test_a_language_that_no_database_keeps_is_refused_in_an_address(cast):
    made = templates.create(cast.service, "offer", templates.Wording("Hi"), by=BY)
    templates.save_draft(made, templates.Wording("Hallo", language="de"), by=BY)
    url = f"/s/shop/templates/{made.pk}/edit/"
    assert cast["admin"].get(url, {"language": "de"}).context["form"]["text"].value() == "Hallo"
    page = cast["admin"].get(url, {"language": "d\0e"})
    assert page.status_code == 400 and "“language” holds a character" in page.text


def test_consent_of_a_number_is_not_asked_by_address(cast):
    group = ContactPolicyGroup.objects.create(service=cast.service, name="g", group_id="g")
    assert cast["admin"].get(f"/s/shop/policy-groups/{group.pk}/look-up/").status_code == 405
    answer = cast["admin"].post(f"/s/shop/policy-groups/{group.pk}/look-up/", {"number": "07700900123"})
    assert "profile key is missing" in answer.content.decode()


def test_use_and_refusals_are_counted_from_what_was_really_posted():
    """Through dispatch and the counters, not rows made up."""
    service = a_service()
    admin = signed_in("admin@example.test", service, "admin")
    group = ContactPolicyGroup.objects.create(service=service, name="News", group_id="G1", check_consent=True)
    a_send(service, 3, policy_group=group)
    answers = iter([refused("9002"), refused("9006"), refused("9002")])
    Provider(answer=lambda body: next(answers)).dispatch()
    a_send(service, 2)
    Provider(answer=accepted).dispatch()
    page = admin.get(f"/s/shop/policy-groups/{group.pk}/")
    assert [(code, count) for code, _, count in page.context["results"]] == [("9002", 2), ("9006", 1)]
    _, shown = admin.get("/s/shop/senders/").context["rows"][0]
    assert shown[-2:] == ["5", "3"], shown
    detail = admin.get(f"/s/shop/senders/{service.senders.get().pk}/")
    assert detail.context["reasons"] == [("9002", 2), ("9006", 1)]
