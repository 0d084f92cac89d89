"""The compose page as a person uses it: nothing typed is lost, each mistake is at its field, and a second click sends nothing twice."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from portal.models import User
from sms.compose.drafts import collaboration
from sms.models import AuditEvent, Draft, Send, Service
from sms.models.draft import DraftPresence
from tests.support.pages import text_of
from tests.support.people import signed_in
from tests.support.sends import a_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def service():
    return a_service()


@pytest.fixture
def composer(service):
    return signed_in("composer@example.test", service, "composer")


def typed(service, **changes) -> dict[str, object]:
    fields = {
        "name": "",
        "sender": service.senders.get().pk,
        "text": "Hello",
        "pasted": "07700 900123",
        "country": "GB",
        "when": "now",
        "review": "1",
    }
    return fields | changes


def upload(text: str, name: str = "people.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode())


def test_compose_review_send(service, composer):
    assert composer.get("/s/shop/compose/").status_code == 200
    response = composer.post("/s/shop/compose/", typed(service, pasted="07700 900123\n07700900124\nabc"))
    assert response.status_code == 302, response.context["form"].errors
    page = composer.get(response.url)
    assert page.status_code == 200
    assert (page.context["recipients"], page.context["rejected"]) == (2, 1)
    assert not Send.objects.exists(), "reviewing sends nothing"
    sent = composer.post(response.url)
    send = Send.objects.get()
    assert sent.url == f"/s/shop/sends/{send.pk}/"
    assert composer.get(sent.url).status_code == 200
    assert send.created_by.email == "composer@example.test"


def test_the_review_does_not_say_now_where_quiet_hours_put_everything_off(service, composer):
    review = composer.post("/s/shop/compose/", typed(service, respect_quiet_hours="on")).url
    assert "will go out now." in text_of(composer.get(review))
    here = timezone.now().astimezone(ZoneInfo(service.time_zone))
    quiet = f"{here - timedelta(hours=1):%H:%M}-{here + timedelta(hours=2):%H:%M}"
    Service.objects.filter(pk=service.pk).update(quiet_hours=quiet)
    assert "will go out when quiet hours end." in text_of(composer.get(review))


def test_a_second_press_of_send_finds_the_first_send(service, composer):
    review = composer.post("/s/shop/compose/", typed(service)).url
    first, second = composer.post(review), composer.post(review)
    assert first.url == second.url
    assert Send.objects.count() == 1
    assert AuditEvent.objects.filter(act="send.created").count() == 1


def test_saving_a_draft_that_was_sent_already_leads_to_its_send_and_never_unsends_it(service, composer):
    from portal.forms.compose import DraftForm

    review = composer.post("/s/shop/compose/", typed(service)).url
    stale = Draft.objects.get()
    composer.post(review)
    form = DraftForm(typed(service), instance=stale, service=service)
    assert form.is_valid()
    with pytest.raises(collaboration.DraftSent):
        collaboration.save(form.instance, base={}, user=None)
    assert Draft.objects.get().send == Send.objects.get()
    assert composer.post(review).url == f"/s/shop/sends/{Send.objects.get().pk}/"
    assert Send.objects.count() == 1


def test_a_file_fills_the_placeholders_and_its_rejects_can_be_downloaded(service, composer):
    people = upload("Mobile;Name\r\n07700900123;Ada\r\n07700900123;Again\r\n12;=HYPERLINK(1)\r\n")
    response = composer.post("/s/shop/compose/", typed(service, pasted="", file=people, text="Hi $(name)"))
    assert response.status_code == 302, response.context["form"].errors
    page = composer.get(response.url)
    assert page.context["recipients"] == 1
    draft = Draft.objects.get()
    rejects = b"".join(composer.get(f"/s/shop/drafts/{draft.pk}/rejects.csv").streaming_content).decode(
        "utf-8-sig"
    )
    assert "duplicate" in rejects.lower() or "row 2" in rejects
    assert len(rejects.strip().splitlines()) == 3
    composer.post(response.url)
    send = Send.objects.get()
    assert send.messages.get().text == "Hi Ada"
    again = b"".join(composer.get(f"/s/shop/sends/{send.pk}/rejects.csv").streaming_content).decode(
        "utf-8-sig"
    )
    assert [line.split(",")[0] for line in again.splitlines()[1:]] == ["3", "4"]
    assert rejects.splitlines()[0] == "rejected row,rejected because,Mobile,Name", (
        "to be mended, so with all cells"
    )


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"text": ""}, "text", "Write the text"),
        ({"text": "x" * 1025}, "text", "1,024"),
        ({"text": "Hi $(name)"}, "text", "$(name)"),
        ({"sender": ""}, "sender", "Choose the sender"),
        ({"pasted": ""}, "pasted", ""),
        ({"pasted": "abc\n12"}, "pasted", "No valid recipient"),
        ({"when": "later", "send_at": ""}, "send_at", "day and time"),
        ({"when": "later", "send_at": "2020-01-01T10:00"}, "send_at", "passed"),
        ({"when": "later", "send_at": "tomorrow"}, "send_at", ""),
    ],
)
def test_a_mistake_is_shown_at_its_field_and_the_draft_is_kept(service, composer, changes, field, words):
    response = composer.post("/s/shop/compose/", typed(service, name="Spring", **changes))
    assert response.status_code == 422
    assert words in " ".join(response.context["form"].errors[field])
    draft = Draft.objects.get()
    assert draft.name == "Spring"
    assert composer.get(f"/s/shop/drafts/{draft.pk}/").status_code == 200
    assert not Send.objects.exists()


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"%PDF-1.7 nothing", "list.pdf", ""),
        (b"\x89PNG\r\n\x1a\n0000", "people.xlsx", ""),
        (b"a;b\r\n1;2\r\n", "people.csv", ""),
        (b"", "empty.csv", ""),
    ],
)
def test_a_file_that_holds_no_numbers_says_so_and_the_draft_is_kept(service, composer, content, name, words):
    file = SimpleUploadedFile(name, content)
    response = composer.post("/s/shop/compose/", typed(service, pasted="", file=file))
    assert response.status_code == 422
    errors = response.context["form"].errors
    assert set(errors) & {"file", "column"}, errors
    assert Draft.objects.get().text == "Hello"


def test_an_unknown_column_lists_the_headings(service, composer):
    response = composer.post(
        "/s/shop/compose/",
        typed(service, pasted="", file=upload("Mobile,Name\n07700900123,Ada\n"), column="Handy"),
    )
    assert response.status_code == 422
    words = " ".join(response.context["form"].errors["column"])
    assert "Mobile" in words
    assert "Name" in words


def test_too_large_a_file_is_refused_before_it_is_read(service, composer, settings):
    settings.UPLOAD_MAX_BYTES = 100
    response = composer.post(
        "/s/shop/compose/", typed(service, pasted="", file=upload("number\n" + "07700900123\n" * 50))
    )
    assert response.status_code == 422
    assert "allowed" in " ".join(response.context["form"].errors["file"])
    assert Draft.objects.get().upload is None


def test_too_many_rows_name_the_limit(service, composer, settings):
    settings.UPLOAD_MAX_ROWS = 3
    rows = "number\n" + "\n".join(f"077009001{index:02d}" for index in range(5))
    response = composer.post("/s/shop/compose/", typed(service, pasted="", file=upload(rows)))
    assert response.status_code == 422
    assert "3" in " ".join(response.context["form"].errors["file"])


def test_a_scheduled_send_can_be_cancelled_from_its_page(service, composer):
    later = timezone.localtime(timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    review = composer.post("/s/shop/compose/", typed(service, when="later", send_at=later)).url
    url = composer.post(review).url
    send = Send.objects.get()
    assert send.state == "scheduled"
    composer.post(f"{url}cancel/")
    send.refresh_from_db()
    assert (send.state, send.counts()) == ("cancelled", {"cancelled": 1})
    assert send.cancelled_by == "composer@example.test"


def test_a_draft_can_be_saved_and_discarded(service, composer):
    response = composer.post("/s/shop/compose/", typed(service, text="", pasted="", save="1"))
    assert response.status_code == 302
    draft = Draft.objects.get()
    assert draft.created_by.email == "composer@example.test"
    composer.post(f"/s/shop/drafts/{draft.pk}/discard/")
    assert not Draft.objects.filter(Draft.open_ones()).exists()


def test_what_a_colleague_changed_since_the_review_is_not_sent_unseen(service, composer):
    review = composer.post("/s/shop/compose/", typed(service)).url
    shown = composer.get(review).context["draft"].revision
    Draft.objects.update(text="Something else", revision=shown + 1)
    page = composer.post(review, {"revision": shown}, follow=True)
    assert "was changed since this page was shown" in page.content.decode()
    assert not Send.objects.exists()
    composer.post(review, {"revision": shown + 1})
    assert Send.objects.get().text == "Something else"


def test_a_draft_that_a_colleague_has_open_is_not_discarded(service, composer):
    composer.post("/s/shop/compose/", typed(service, text="", pasted="", save="1"))
    draft = Draft.objects.get()
    signed_in("other@example.test", service, "composer")
    other = User.objects.get(email="other@example.test")
    DraftPresence.objects.create(draft=draft, user=other, field="text", seen_at=timezone.now())
    page = composer.post(f"/s/shop/drafts/{draft.pk}/discard/", follow=True)
    assert "other@example.test has this draft open" in page.content.decode()
    assert Draft.objects.exists()


def test_times_are_read_in_the_services_zone(service, composer):
    service.time_zone = "America/New_York"
    service.save()
    composer.post("/s/shop/compose/", typed(service, when="later", send_at="2030-07-01T09:00"))
    assert Draft.objects.get().send_at.isoformat() == "2030-07-01T13:00:00+00:00"


def test_numbers_are_masked_on_every_page(service, composer):
    review = composer.post("/s/shop/compose/", typed(service)).url
    pages = [composer.get(review), composer.get(composer.post(review).url)]
    message = Send.objects.get().messages.get()
    pages += [
        composer.get("/s/shop/messages/"),
        composer.get(f"/s/shop/messages/{message.pk}/"),
        composer.get("/s/shop/"),
    ]
    for page in pages:
        text = page.content.decode()
        assert "900123" not in text.replace(" ", "").replace("7700900123</textarea>", ""), page.request[
            "PATH_INFO"
        ]


def test_a_raw_receipt_is_shown_without_the_number(service, composer):
    from sms.inbound.receipts import Incoming, fold, receipt_addresses
    from sms.inbound.receipts.inbox import insert
    from sms.values import correlation_id
    from tests.support.provider import Provider
    from tests.support.receipts import receipt
    from tests.support.sends import a_send

    message = a_send(service).messages.get()
    Provider().dispatch()
    name = correlation_id.write(message_id=message.pk, attempt=1, key=service.correlation_key)
    insert([Incoming.of(receipt(name), address=receipt_addresses.find(service.receipt_token))])
    fold()
    page = composer.get(f"/s/shop/messages/{message.pk}/").content.decode()
    assert "deliveryInfoNotification" in page
    assert "447710000000" not in page


@pytest.mark.parametrize("path", ["sends/", "messages/", ""])
def test_list_pages_ask_the_same_number_of_queries_for_one_and_for_thirty_rows(
    path, service, composer, django_assert_max_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from tests.support.sends import a_send

    counts = []
    for _ in range(2):
        a_send(service)
        composer.get(f"/s/shop/{path}")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            composer.get(f"/s/shop/{path}")
        counts.append(len(queries))
        for _ in range(28):
            a_send(service)
    # of home one counts the replies to decide, one what is taken of the spend caps, seven tell what goes out now; of each page one
    # asks for rules about second factors, one for unread notices
    assert counts[0] == counts[1] <= 32


def test_what_needs_unicode_is_replaced_at_the_press_of_a_button(service, composer):
    page = composer.post("/s/shop/compose/", typed(service, text="It’s on – soon…", simplify="1", review=""))
    draft = Draft.objects.get()
    assert page.url == f"/s/shop/drafts/{draft.pk}/"
    assert draft.text == "It's on - soon..."
    again = composer.post(page.url, typed(service, text="żółć 🎉", simplify="1", review=""))
    assert again.status_code in (200, 302, 422)
    draft.refresh_from_db()
    assert "🎉" in draft.text, "what has no counterpart stays"


def test_the_preview_shows_the_wording_in_the_chosen_language_and_the_page_has_smartlinks_to_insert(
    service, composer
):
    from sms.catalogue import templates
    from sms.models import Smartlink
    from tests.support.sends import BY

    template = templates.create(service, "welcome", templates.Wording("Hello"), by=BY)
    german = templates.save_draft(template, templates.Wording("Hallo", language="de"), by=BY)
    templates.publish(german, by=BY)
    Smartlink.objects.create(service=service, smartlink_id=4371, name="App")
    page = composer.get("/s/shop/compose/").content.decode()
    seen = composer.post("/s/shop/compose/preview/", {"template": template.pk, "language": "de"}).json()
    assert ">Hallo<" in seen["parts"]["preview"]
    assert "version 2 (de)" in " ".join(seen["parts"]["preview"].split())
    assert 'data-insert="{{smartlink_4371}}"' in page


def test_what_stood_in_a_rejected_row_is_not_for_everybody(service, composer):
    composer.post(composer.post("/s/shop/compose/", typed(service, pasted="07700 900123\nabc")).url)
    rejects = f"/s/shop/sends/{Send.objects.get().pk}/rejects.csv"
    approver = signed_in("approver@example.test", service, "approver")
    assert b"abc" in composer.get(rejects).getvalue()
    told = approver.get(rejects).getvalue()
    assert b"abc" not in told
    assert told.count(b"\n") == 2, "the row and its reason are there"


def test_the_audit_names_the_caller_and_not_our_proxy(service, composer, settings):
    for behind, address in ((True, "203.0.113.7"), (False, "127.0.0.1")):
        settings.BEHIND_PROXY = behind
        composer.post(
            "/s/shop/compose/",
            typed(service, save="1"),
            headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.7"},
        )
        assert AuditEvent.objects.filter(act="draft.created").latest("pk").address == address
