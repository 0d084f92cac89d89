"""Several people at one draft: saved while they type, without overwriting each other, and all see who is there."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from portal.forms import time_zones
from portal.models import User
from sms.audiences.files import Limits
from sms.compose import drafts
from sms.compose.drafts import collaboration, presence
from sms.models import AuditEvent, Draft, DraftPresence, Send, ShortLinkDomain, Upload
from tests.support.people import signed_in
from tests.support.sends import a_service

NEW = "/s/shop/compose/save/"
BEGUN = "6f1f0a3e-6f4b-4a58-9a4e-0d3f6c6f7a10"


@pytest.fixture
def service(db):
    return a_service()


@pytest.fixture
def ada(service):
    return signed_in("ada@example.test", service, "composer", first_name="Ada")


@pytest.fixture
def ben(service):
    return signed_in("ben@example.test", service, "composer", first_name="Ben")


def fields(service, **changes) -> dict[str, object]:
    return {"sender": service.senders.get().pk, "country": "GB", "when": "now", "text": "Hello"} | changes


def begun(client, service, **changes) -> tuple[str, dict]:
    """A draft with its address, and what the page knows of it."""
    told = client.post(NEW, fields(service, begun=BEGUN, **changes)).json()
    return f"/s/shop/drafts/{told['draft']}/", told


def saved(client, url, service, told, **changes):
    return client.post(f"{url}save/", fields(service, base=json.dumps(told["base"]), **changes))


def test_a_draft_exists_from_the_first_save_and_a_repeated_first_save_makes_no_second(service, ada):
    for _ in range(2):
        told = ada.post(NEW, fields(service, begun=BEGUN)).json()
    draft = Draft.objects.get()
    assert (draft.text, draft.revision, draft.changed_by.first_name) == ("Hello", 1, "Ada")
    assert told["draft"] == draft.pk
    assert AuditEvent.objects.filter(act="draft.created").count() == 1


def test_the_token_of_a_page_of_another_service_keeps_nobody_from_saving(service, ada):
    other = a_service(slug="other", name="Other")
    cyd = signed_in("cyd@example.test", other, "composer")
    begun(ada, service)
    answer = cyd.post("/s/other/compose/save/", fields(other, begun=BEGUN))
    assert answer.status_code == 200
    assert Draft.objects.get(service=other).pk == answer.json()["draft"]


def test_a_value_that_cannot_be_stored_is_named_and_keeps_nothing_else_from_being_saved(service, ada):
    url, told = begun(ada, service)
    told = saved(ada, url, service, told, text="Hi", when="later", send_at="soon").json()
    assert list(told["errors"]) == ["Time"]
    assert Draft.objects.get().text == "Hi"


def test_what_fills_a_placeholder_is_kept_once_however_its_name_is_spelled(service, ada):
    chosen = {"fillings_shown": "1", "filling_column": "", "filling_fallback": "friend"}
    url, told = begun(ada, service, filling_name="First Name", **chosen)
    assert Draft.objects.get().fillings == {"First Name": {"fallback": "friend"}}
    saved(ada, url, service, told, filling_name="first_name", **chosen | {"filling_fallback": ""})
    assert Draft.objects.get().fillings == {}


@pytest.mark.parametrize("field", ["name", "column", "fallback"])
def test_what_no_database_keeps_is_refused_with_the_field_and_the_draft_stays(service, ada, field):
    typed = {"name": "name", "column": "Customer", "fallback": "friend"}
    sent = {f"filling_{part}": value for part, value in typed.items()}
    url, _ = begun(ada, service, fillings_shown="1", **sent)
    refused = ada.post(
        f"{url}save/",
        sent | {"fillings_shown": "1", f"filling_{field}": f"{typed[field]}\0"},
        headers={"accept": "application/json, text/html;q=0.9"},
    )
    assert refused.status_code == 400
    assert f"“filling_{field}” holds a character that cannot be kept" in refused.json()["says"]
    assert Draft.objects.get().fillings == {"name": {"column": "Customer", "fallback": "friend"}}


def test_two_people_who_write_in_different_fields_both_stand(service, ada, ben):
    url, told = begun(ada, service)
    saved(ben, url, service, told, name="Spring")
    mine = saved(ada, url, service, told, text="Hello again").json()
    draft = Draft.objects.get()
    assert (draft.name, draft.text, draft.revision) == ("Spring", "Hello again", 3)
    assert mine["theirs"] == {"name": "Spring"}
    assert mine["notice"] == "Ben changed name while you wrote; it is in the page now."
    assert mine["clashes"] == ""


def test_what_both_changed_is_not_overwritten_until_one_chooses(service, ada, ben):
    url, told = begun(ada, service)
    saved(ben, url, service, told, text="Ben's")
    clash = saved(ada, url, service, told, text="Ada's", name="Spring")
    assert clash.status_code == 409
    draft = Draft.objects.get()
    assert (draft.text, draft.name) == ("Ben's", "Spring"), "only the clash waits"
    page = clash.json()
    clashes = "".join(page["clashes"].split())
    assert '<markclass="differs">Ada</mark>&#x27;s' in clashes, "the words that differ are marked"
    assert '<markclass="differs">Ben</mark>&#x27;s' in clashes
    assert saved(ada, url, service, page, text="Ada's", name="Spring").status_code == 409, (
        "still nobody chose"
    )
    seen = collaboration.fingerprints(draft)["text"]
    chosen = saved(ada, url, service, page, text="Ada's", name="Spring", choose_text="mine", seen_text=seen)
    assert chosen.status_code == 200
    assert Draft.objects.get().text == "Ada's"


def test_two_ways_to_expire_are_one_choice(service, ada, ben):
    """Each in a field of its own, and a draft can have but one of them."""
    url, told = begun(ada, service)
    after = {"ends": "after", "validity_count": "2", "validity_unit": "3600"}
    at = {"ends": "at", "expires_at": "2030-01-07T09:00", "time_zone": "UTC"}
    assert saved(ben, url, service, told, **after).status_code == 200
    assert saved(ada, url, service, told, **at).status_code == 409
    draft = Draft.objects.get()
    assert (draft.validity, draft.expires_at) == (7200, None)


def test_a_third_version_is_not_lost_to_a_choice_between_two(service, ada, ben):
    url, told = begun(ada, service)
    first = saved(ben, url, service, told, text="Ben's").json()
    page = saved(ada, url, service, told, text="Ada's").json()
    seen = collaboration.fingerprints(Draft.objects.get())["text"]
    saved(ben, url, service, first, text="Ben's second")
    again = saved(ada, url, service, page, text="Ada's", choose_text="mine", seen_text=seen)
    assert again.status_code == 409
    assert Draft.objects.get().text == "Ben's second"
    assert "Ben</mark>&#x27;s<mark" in again.json()["clashes"]
    assert " second</mark>" in again.json()["clashes"]


def test_without_a_script_the_page_shows_both_and_takes_the_choice(service, ada, ben):
    url, told = begun(ada, service)
    saved(ben, url, service, told, text="Ben's")
    typed = fields(service, text="Ada's", base=json.dumps(told["base"]), save="1")
    page = ada.post(url, typed)
    assert page.status_code == 422
    shown = page.content.decode()
    assert "Keep yours" in shown
    assert "\nAda&#x27;s</textarea>" in shown, "what was typed is still in its field"
    base = json.loads(page.context["base"])
    (clash,) = page.context["clashes"]
    typed |= {"base": json.dumps(base), "choose_text": "theirs", "seen_text": clash.seen}
    assert ada.post(url, typed).status_code == 302
    assert Draft.objects.get().text == "Ben's"


def test_a_draft_that_was_sent_already_says_where_its_send_is(service, ada):
    url, told = begun(ada, service, pasted="07700 900001")
    ada.post(f"{url}review/")
    gone = saved(ada, url, service, told, text="Too late")
    assert gone.status_code == 410
    assert gone.json()["send"] == f"/s/shop/sends/{Send.objects.get().pk}/"
    assert Draft.objects.get().text == "Hello"


def test_colleagues_see_who_is_at_it_and_where_until_forty_seconds_of_silence(service, ada, ben):
    url, _ = begun(ada, service)
    ben.post(f"{url}here/", {"field": "text"})
    assert ada.post(f"{url}here/", {"field": ""}).json()["people"] == ["Ben is editing text"]
    assert "Ben is editing text" in ada.get(url).content.decode()
    draft, me = Draft.objects.get(), User.objects.get(email="ada@example.test")
    now = timezone.now()
    assert presence.present_in([draft], now=now) == {draft.pk: "Ben, Ada"}
    assert not presence.colleagues(draft, without=me, now=now + timedelta(seconds=41))
    ben.post(f"{url}here/", {"leave": "1"})
    assert ada.post(f"{url}here/", {}).json()["people"] == []
    assert not DraftPresence.objects.filter(user__email="ben@example.test").exists()


def test_drafts_are_found_with_who_changed_them_last(service, ada, ben):
    url, told = begun(ada, service)
    saved(ben, url, service, told, text="Spring is here")
    page = ada.get("/s/shop/drafts/").content.decode()
    assert "Spring is here" in page
    assert "by Ben" in page


# --- whose change stands ------------------------------------------------------------------------------------------------

values = st.fixed_dictionaries(dict.fromkeys(collaboration.EDITED, st.sampled_from("abc")))


@given(typed=values, stored=values, base=values, chosen=st.sets(st.sampled_from(collaboration.EDITED)))
def test_nothing_that_was_not_seen_is_ever_overwritten(typed, stored, base, chosen):
    mine, others, clashes = collaboration._sort_changes(typed, stored, base, chosen)
    for name in collaboration.EDITED:
        if name in mine:
            assert stored[name] == base[name], "nobody else had changed it"
            assert typed[name] != stored[name]
        elif typed[name] != stored[name]:
            assert name in others or name in clashes
        if typed[name] not in (base[name], stored[name]) and name not in chosen:
            assert name in mine or name in clashes, "what was typed is stored or asked about, never dropped"


# --- times --------------------------------------------------------------------------------------------------------------


def test_a_time_is_kept_in_its_zone_and_shown_there(service, ada):
    changes = {"when": "later", "send_at": "2030-01-07T09:00", "time_zone": "America/New_York"}
    url, _ = begun(ada, service, **changes)
    draft = Draft.objects.get()
    assert (draft.send_at, draft.time_zone) == (datetime(2030, 1, 7, 14, tzinfo=UTC), "America/New_York")
    page = ada.get(url).content.decode()
    assert 'value="2030-01-07T09:00"' in page
    assert (
        "Mon 7 Jan 2030, 09:00 in America/New_York (UTC-05:00). For you: Mon 14:00 in Europe/London." in page
    )


def test_an_hour_that_the_clocks_skip_is_refused_with_the_way_out(service, ada):
    changes = {"when": "later", "send_at": "2030-03-31T02:30", "time_zone": "Europe/Berlin"}
    _, told = begun(ada, service, **changes)
    assert told["errors"] == {
        "Time": [
            "02:30 does not exist on 31 March 2030 in Europe/Berlin: the clocks go forward to 03:00. Choose 03:00 or later."
        ]
    }


def test_an_hour_that_comes_twice_is_explained():
    naive = datetime(2030, 10, 27, 2, 30)
    at = time_zones.moment(naive, "Europe/Berlin")
    assert at == datetime(2030, 10, 27, 0, 30, tzinfo=UTC)
    assert "comes twice; the first one is meant" in time_zones.in_words(at, "Europe/Berlin")


@pytest.mark.parametrize(
    ("typed", "expires", "validity"),
    [
        ({"ends": "never", "expires_at": "2030-01-01T10:00", "validity_count": "5"}, False, None),
        ({"ends": "at", "expires_at": "2030-01-01T10:00", "validity_count": "5"}, True, None),
        ({"ends": "after", "validity_count": "5", "validity_unit": "3600"}, False, 18_000),
        ({"expires_at": "2030-01-01T10:00"}, True, None),
    ],
)
def test_an_expiry_or_a_validity_never_both(service, ada, typed, expires, validity):
    begun(ada, service, **typed)
    draft = Draft.objects.get()
    assert (draft.expires_at is not None, draft.validity) == (expires, validity)


def test_every_choice_under_more_is_stored_and_shown_again(service, ada):
    more = {
        "track": "no",
        "tag1": "spring",
        "check_consent": "no",
        "apply_frequency_cap": "yes",
        "receipts": ["FAILED", "DELIVERED"],
        "receipts_shown": "1",
        "callback_data": "order=981",
    }
    url, told = begun(ada, service, **more)
    assert told["errors"] == {}
    draft = Draft.objects.get()
    assert (draft.track_clicks, draft.tag1, draft.check_consent) == (False, "spring", False)
    assert (draft.apply_frequency_cap, draft.callback_data) == (True, "order=981")
    assert sorted(draft.receipts.names) == ["DELIVERED", "FAILED"]
    form = ada.get(url).context["form"]
    assert (form["track"].value(), form["check_consent"].value()) == ("no", "no")
    assert sorted(form["receipts"].value()) == ["DELIVERED", "FAILED"]
    assert form.now["receipts"].endswith("with callback data")


def test_no_receipt_ticked_is_a_mistake_and_not_all_of_them(service, ada):
    _, told = begun(ada, service, receipts_shown="1")
    assert list(told["errors"]) == ["Receipts to ask for"]


def test_what_was_chosen_under_more_is_on_the_plan_and_on_the_send(service, ada):
    domain = ShortLinkDomain.objects.create(service=service, region=service.region, host="go.example.test")
    chosen = {
        "pasted": "07700 900001",
        "link_domain": domain.pk,
        "track": "no",
        "tag1": "spring",
        "receipts": ["SUBMITTED", "DELIVERED", "FAILED"],
        "receipts_shown": "1",
        "ends": "after",
        "validity_count": "2",
        "validity_unit": "3600",
        "callback_data": "order=981",
        "when": "later",
        "send_at": "2030-01-07T09:00",
        "time_zone": "America/New_York",
    }
    url, told = begun(ada, service, **chosen)
    assert told["errors"] == {}
    plan = ada.get(f"{url}review/").content.decode()
    for words in ("clicks not counted, tags spring", "2 hours after hand-over", "order=981"):
        assert words in plan
    assert "will go out on Mon 7 Jan 2030, 09:00 in America/New_York (UTC-05:00)" in plan
    page = ada.get(ada.post(f"{url}review/").url).content.decode()
    for words in ("2 hours after hand-over", "order=981", "Submitted, Delivered, Failed", "spring"):
        assert words in page
    assert "Mon 7 Jan 2030, 09:00 in America/New_York" in page
    assert "Clicks are not measured" in page, "which is not none"


def test_what_a_new_file_recalls_is_shown_on_the_page_that_saves_next(service, ada):
    people = b"Mobile,Landline,Name\n07700900123,02079460000,Ada\n"
    upload = Upload.keep(people, service=service, name="march.csv", user=None)
    drafts.remember_columns(
        Draft(service=service, upload=upload, column="Mobile", country="GB"), limits=Limits()
    )
    url, told = begun(ada, service, country="FR")
    file = SimpleUploadedFile("april.csv", people)
    told = saved(ada, url, service, told, country="", file=file).json()
    choices = dict.fromkeys(("sheet", "heading_row", "hidden_rows", "hidden_columns"), "")
    assert told["theirs"] == {"column": "Mobile", "country": "GB", **choices}
    saved(ada, url, service, told, **told["theirs"])
    assert Draft.objects.get().column == "Mobile"
