"""Testing a draft, one's own details and the narrowed list of sends, as a person uses them."""

import pytest

from portal.models import User
from sms.audiences import packing, saved
from sms.audiences.files import Limits
from sms.models import AuditEvent, Draft, Send
from tests.support.people import signed_in
from tests.support.provider import Provider
from tests.support.sends import BY, a_send, a_service
from tests.support.telephone import a_telephone

pytestmark = pytest.mark.django_db
MINE = "+447700900111"


@pytest.fixture
def service():
    return a_service()


@pytest.fixture
def composer(service):
    return signed_in("composer@example.test", service, "composer")


def a_draft(service, **changes) -> Draft:
    fields = {
        "text": "Hello",
        "sender": service.senders.get(),
        "pasted": "07700900001",
        "country": "GB",
    } | changes
    return Draft.objects.create(service=service, **fields)


def test_my_number_is_given_once_masked_elsewhere_and_audited(service, composer):
    with a_telephone() as phone:
        service.base_url = phone.url
        service.keep_secrets_for_address()
        service.save()
        typed = {"own_number": "07700 900111", "country": "GB", "time_zone": ""}
        assert composer.post("/accounts/details/", typed).url == "/accounts/details/code/"
        page = composer.post("/accounts/details/code/", {"code": phone.code})
    assert page.status_code == 302
    assert User.objects.get().own_number == MINE
    event = AuditEvent.objects.get(act="user.number_proved")
    assert "•••" in event.details["number"]
    assert composer.post("/accounts/details/", {"own_number": "12", "country": "GB"}).status_code == 422
    assert composer.post("/accounts/details/", {"time_zone": "Mars/Base"}).status_code == 422
    assert User.objects.get().own_number == MINE
    draft = a_draft(service)
    page = composer.get(f"/s/shop/drafts/{draft.pk}/test/").content.decode()
    assert "+44 7700 ••• 111" in page
    assert MINE not in page


def test_the_test_is_sent_and_the_draft_shows_what_became_of_it(service, composer):
    User.objects.update(own_number=MINE)
    draft = a_draft(service)
    url = f"/s/shop/drafts/{draft.pk}/test/"
    assert composer.post(url, {"to": "own", "row": ""}).url == url
    Provider().dispatch()
    for address in (url, f"/s/shop/drafts/{draft.pk}/review/"):
        page = composer.get(address).content.decode()
        assert "A test to the writer" in page
        assert "Accepted" in page
    page = composer.get(f"/s/shop/sends/{Send.objects.get().pk}/").content.decode()
    assert ">Test</span>" in page
    assert f"/s/shop/drafts/{draft.pk}/" in page


def test_mistakes_are_at_their_fields(service, composer):
    draft = a_draft(service, text="Hi $(name)")
    url = f"/s/shop/drafts/{draft.pk}/test/"
    page = composer.get(url)
    assert "No test recipients yet" in page.content.decode()
    assert "$(name)" in page.content.decode()
    User.objects.update(own_number=MINE)
    page = composer.post(url, {"to": "own", "row": ""})
    assert page.status_code == 422
    assert "$(name)" in page.content.decode()
    assert composer.post(url, {"to": "7"}).status_code == 422
    Draft.objects.update(text="Hello")
    page = composer.post(url, {"to": "own", "row": "9"})
    assert "Row 9 has no recipient" in page.content.decode()
    assert not Send.objects.exists()


def test_compose_leads_to_the_test_with_what_was_typed(service, composer):
    typed = {"sender": service.senders.get().pk, "text": "Typed", "when": "now", "test": "1", "country": "GB"}
    made = composer.post("/s/shop/compose/", typed)
    assert made.url == f"/s/shop/drafts/{Draft.objects.get().pk}/test/"
    assert "Typed" in composer.get(made.url).content.decode()


def test_a_saved_audience_becomes_a_seed_list_and_is_offered(service, composer):
    packed = packing.pack_pasted("07700900001\n07700900002", country="GB", limits=Limits())
    made = saved.create(service, packed, name="Press office", by=BY)
    draft = a_draft(service)
    composer.post(f"/s/shop/audiences/{made.pk}/seed-list/")
    assert "A seed list" in composer.get(f"/s/shop/audiences/{made.pk}/").content.decode()
    url = f"/s/shop/drafts/{draft.pk}/test/"
    assert "Press office (2)" in composer.get(url).content.decode()
    Draft.objects.update(notify_url="https://partner.example/in")
    assert "may not export" in composer.post(url, {"to": str(made.pk)}).content.decode()
    Draft.objects.update(notify_url="")
    composer.post(url, {"to": str(made.pk)})
    assert Send.objects.get().recipients == 2
    composer.post(f"/s/shop/audiences/{made.pk}/seed-list/")
    acts = AuditEvent.objects.filter(noun="audience").values_list("act", flat=True)
    assert {"audience.made_seed_list", "audience.no_seed_list"} <= set(acts)


# --- the list of sends --------------------------------------------------------------------------------------------------


def names(client, query: str) -> list[str]:
    return [row.send.name for row in client.get(f"/s/shop/sends/?{query}").context["rows"]]


def test_the_list_is_narrowed_down(service, composer):
    User.objects.update(own_number=MINE)
    ada = User.objects.get()
    a_send(service, name="Spring sale", labels=["spring"])
    theirs = a_send(service, name="Autumn sale")
    Send.objects.filter(pk=theirs.pk).update(
        partner="Shop", state="cancelled", cancelled_at="2026-01-01T00:00Z", cancelled_by="x"
    )
    composer.post(f"/s/shop/drafts/{a_draft(service, name='Idea').pk}/test/", {"to": "own"})
    assert names(composer, "") == ["Test of Idea", "Autumn sale", "Spring sale"]
    assert names(composer, "q=sale") == ["Autumn sale", "Spring sale"]
    assert names(composer, "label=spring") == ["Spring sale"]
    assert names(composer, "state=cancelled") == ["Autumn sale"]
    assert names(composer, "by=key:Shop") == ["Autumn sale"]
    assert names(composer, f"by=user:{ada.pk}") == ["Test of Idea"]
    assert names(composer, "tests=only") == ["Test of Idea"]
    assert names(composer, "tests=without&q=spring") == ["Spring sale"]
    assert names(composer, "q=winter") == []
    assert names(composer, "by=user:x&state=y&tests=z&before=-1") == []


def test_pages_of_the_list_hold_what_was_asked_for(service, composer, monkeypatch):
    monkeypatch.setattr("portal.views.sends.CARDS", 2)
    for place in range(5):
        a_send(service, name=f"Sale {place}")
    a_send(service, name="Other")
    page = composer.get("/s/shop/sends/?q=Sale")
    assert [row.send.name for row in page.context["rows"]] == ["Sale 4", "Sale 3"]
    before = page.context["next_before"]
    assert f"?q=Sale&amp;before={before}" in page.content.decode()
    assert names(composer, f"q=Sale&before={before}") == ["Sale 2", "Sale 1"]
    last = composer.get(f"/s/shop/sends/?q=Sale&before={before - 2}")
    assert last.context["next_before"] is None
