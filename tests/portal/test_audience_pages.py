"""Audience pages: upload with rejects, replace, find by POST, export, archive and delete; and opt-outs out of the door as CSV."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from sms.audiences import packing, saved
from sms.audiences.files import Limits
from sms.inbound import optouts
from sms.models import AudienceVersion, AuditEvent, Draft, OptOut, SavedAudience, Send
from tests.support.people import Cast, a_cast
from tests.support.sends import BY, a_send

pytestmark = pytest.mark.django_db
URL = "/s/shop/audiences/"
TABLE = "Mobile;Name\n07710000000;Ada\n07710000001;Bob\nnonsense;Eve\n"


@pytest.fixture
def cast() -> Cast:
    return a_cast()


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def body(response) -> str:
    return b"".join(response.streaming_content).decode()


def upload(cast: Cast, path: str = "new/", table: str = TABLE, **fields):
    file = SimpleUploadedFile("list.csv", table.encode())
    fields = {"name": "Regulars", "country": "GB", "file": file} | fields
    return cast["composer"].post(f"{URL}{path}", fields)


def test_an_upload_is_stored_with_its_rejects_and_its_history(cast):
    assert upload(cast).status_code == 302
    made = SavedAudience.objects.get()
    page = cast["composer"].get(f"{URL}{made.pk}/")
    shown = text_of(page)
    assert "list.csv · 2 recipients · 1 left out · not used" in shown
    assert "composer@example.test" in shown
    assert "7710000000" not in page.content.decode()
    assert "nonsense" in body(cast["composer"].get(f"{URL}{made.pk}/rejects.csv"))
    assert upload(cast, f"{made.pk}/replace/", "Mobile;City\n07710000009;Ely\n").status_code == 302
    shown = text_of(cast["composer"].get(f"{URL}{made.pk}/"))
    assert "Version 2, in use" in shown
    assert "Mobile, City" in text_of(cast["auditor"].get(URL))
    assert AudienceVersion.objects.count() == 2


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"file": ""}, "file", "Choose a file, or paste numbers"),
        ({"pasted": "07710000000"}, "pasted", "Clear the one"),
        ({"table": "Mobile\nnonsense\n"}, "file", "no usable number in it. Row 2"),
        ({"column": "Phone"}, "column", "Phone"),
        ({"name": ""}, "name", "required"),
        ({"table": ""}, "file", "empty"),
    ],
)
def test_what_cannot_be_stored_is_reported_at_its_field(cast, fields, field, says):
    page = upload(cast, **fields)
    assert page.status_code == 422
    assert says in str(page.context["form"].errors[field])
    assert not SavedAudience.objects.exists()


def test_a_name_that_is_taken_is_reported_and_nothing_typed_is_lost(cast):
    upload(cast)
    page = upload(cast, name="regulars", note="From the fair")
    assert "There is an audience named" in str(page.context["form"].errors["name"])
    assert "From the fair" in page.content.decode()


def test_a_number_is_searched_by_post_only(cast):
    upload(cast)
    made = SavedAudience.objects.get()
    for path in ("", f"{made.pk}/"):
        assert "ow 3" in text_of(cast["auditor"].post(f"{URL}{path}", {"search-number": "07710 000001"}))
        missed = text_of(cast["auditor"].post(f"{URL}{path}", {"search-number": "07710 000002"}))
        assert "holds this number." in missed
        assert cast["auditor"].post(f"{URL}{path}", {"search-number": "x"}).status_code == 422
    cells = cast["composer"].post(f"{URL}{made.pk}/", {"search-number": "07710 000001"})
    assert "Name: Bob" in text_of(cells)
    assert "Bob" not in text_of(cast["auditor"].post(f"{URL}{made.pk}/", {"search-number": "07710 000001"}))


def test_an_export_is_for_those_who_may_and_leaves_its_audit_row(cast):
    upload(cast)
    made = SavedAudience.objects.get()
    assert cast["composer"].post(f"{URL}{made.pk}/export/").status_code == 403
    assert cast["admin"].get(f"{URL}{made.pk}/export/").status_code == 405
    text = body(cast["auditor"].post(f"{URL}{made.pk}/export/", {"version": "1"}))
    assert text.splitlines()[1] == "'+447710000000,Ada"
    event = AuditEvent.objects.get(act="audience.exported")
    assert event.details == {"version": 1, "recipients": 2}
    assert cast["auditor"].post(f"{URL}{made.pk}/export/", {"version": "9"}).status_code == 404


def test_compose_offers_it_and_the_send_names_it(cast):
    upload(cast)
    made = SavedAudience.objects.get()
    assert (
        f'<option value="{made.pk}" selected>'
        in cast["composer"].get(f"/s/shop/compose/?audience={made.pk}").content.decode()
    )
    fields = {
        "audience": made.pk,
        "sender": cast.service.senders.get().pk,
        "text": "Hi $(Name)",
        "when": "now",
    }
    review = cast["composer"].post("/s/shop/compose/", fields | {"country": "GB", "review": "1"})
    assert review.status_code == 302, review.context["form"].errors
    assert "2 messages will go out now" in text_of(cast["composer"].get(review.url))
    cast["composer"].post(review.url)
    send = Send.objects.get()
    assert (send.audience, send.recipients) == (made.current, 2)
    shown = text_of(cast["auditor"].get(URL))
    assert f"{send.name}" in shown
    page = cast["admin"].post(f"{URL}{made.pk}/delete/", follow=True)
    assert "was used in 1 send, whose history names it. Archive it instead" in text_of(page)
    cast["composer"].post(f"{URL}{made.pk}/archive/", follow=True)
    assert "Regulars" not in cast["composer"].get("/s/shop/compose/").content.decode()
    assert "Regulars" in text_of(cast["composer"].get(f"{URL}?archived=1"))
    cast["admin"].post(f"{URL}{made.pk}/erase/?version=1")
    assert "rows erased" in text_of(cast["composer"].get(f"{URL}{made.pk}/"))
    gone = cast["admin"].post(f"{URL}{made.pk}/export/", follow=True)
    assert "there is nothing to export" in text_of(gone)


def test_its_receipts_are_passed_on_only_by_those_who_may_export_its_numbers(cast):
    upload(cast)
    draft = Draft.objects.create(
        service=cast.service,
        sender=cast.service.senders.get(),
        text="Hi $(Name)",
        audience=SavedAudience.objects.get(),
        notify_url="https://partner.example/in",
    )
    url = f"/s/shop/drafts/{draft.pk}/review/"
    for refused in (cast["composer"].get(url), cast["composer"].post(url)):
        assert refused.status_code == 422
        assert "which you may not export" in str(refused.context["form"].errors["notify_url"])
    assert not Send.objects.exists()
    cast["admin"].post(url)
    assert Send.objects.get().notify_url == draft.notify_url


@pytest.mark.parametrize("path", [URL, "/admin/sms/savedaudience/", "/s/shop/opt-outs/"])
def test_lists_ask_the_same_number_of_queries_for_any_number_of_rows(
    cast, path, django_assert_max_num_queries
):
    packed = packing.pack_pasted("07710 000000", country="GB", limits=Limits())
    saved.create(cast.service, packed, name="First", by=BY)
    send = a_send(cast.service)

    def fill(start: int, end: int) -> None:
        made = SavedAudience.objects.bulk_create(
            SavedAudience(service=cast.service, name=f"List {index}") for index in range(start, end)
        )
        versions = AudienceVersion.objects.bulk_create(
            AudienceVersion(service=one.service, audience=one, number=1, source="x", country="GB")
            for one in made
        )
        for one, version in zip(made, versions, strict=True):
            one.current = version
        SavedAudience.objects.bulk_update(made, ["current"], batch_size=500)
        numbers = [f"+4477{index:08d}" for index in range(start, end)]
        OptOut.objects.bulk_create(
            OptOut(service=cast.service, msisdn=number, source="page", send=send) for number in numbers
        )

    for start, end in ((0, 0), (0, 30), (30, 3000)):
        fill(start, end)
        with django_assert_max_num_queries(13):
            assert cast["admin"].get(path).status_code == 200


def test_opt_outs_leave_as_csv_with_their_history(cast):
    refused = [optouts.Refusal("+447710000000", "=cmd"), optouts.Refusal("+447710000001", "Wrote to us")]
    optouts.opt_out(cast.service.pk, refused, by=BY, source="page")
    optouts.opt_in(cast.service.pk, ["+447710000001"], by=BY, reason="Asked again")
    url = "/s/shop/opt-outs/"
    assert cast["composer"].post(f"{url}export/").status_code == 403
    lines = body(cast["auditor"].post(f"{url}export/")).splitlines()
    assert lines[0].startswith("\ufeffnumber,since,source,evidence")
    [first] = [line for line in lines if line.startswith("'+447710000000,")]
    [second] = [line for line in lines if line.startswith("'+447710000001,")]
    assert ",'=cmd," in first
    assert second.endswith(",ada@example.test,Asked again")
    assert len(body(cast["admin"].post(f"{url}export/", {"state": "lifted"})).splitlines()) == 2
    assert AuditEvent.objects.filter(act="optout.exported").first().details == {"state": "lifted", "rows": 1}
    assert "••• 000" not in text_of(cast["auditor"].get(f"{url}?state=lifted"))
    assert "••• 001" not in text_of(cast["auditor"].get(f"{url}?state=in_force"))
    history = text_of(cast["auditor"].post(url, {"search-number": "+447710000001"}))
    assert "The whole history of this number" in history
    assert "ada@example.test: Asked again" in history


def test_rejects_begin_with_one_mark_only(cast):
    upload(cast)
    text = body(cast["composer"].get(f"{URL}{SavedAudience.objects.get().pk}/rejects.csv"))
    assert text.startswith("\ufeffrow,")
