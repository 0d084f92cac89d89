"""“What we read from your file” on the pages, and the choice where a person sees something else than the file holds. Without a script."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from sms.models import AudienceVersion, AuditEvent, ColumnMemory, Draft, OptOut, SavedAudience, Send, Upload
from tests.support.large_audiences import again, finished
from tests.support.people import signed_in
from tests.support.sends import a_service
from tests.support.spreadsheets import Sheet, ods, xlsx

pytestmark = pytest.mark.django_db
TITLE = ("Spring list", "", "")
HEADINGS = ("Mobile", "Name", "Notes")
PEOPLE = [(f"0770090000{at}", name, "private") for at, name in enumerate(("Ann", "Ben", "Cem"), 1)]
BOOK = xlsx(
    Sheet([TITLE, HEADINGS, *PEOPLE], hidden_rows=(3,), hidden_columns=(2,), filtered=True),
    Sheet([HEADINGS, *PEOPLE[:1]], name="Old", state="hidden"),
)


@pytest.fixture
def service():
    return a_service()


@pytest.fixture
def ada(service):
    return signed_in("ada@example.test", service, "composer")


def file(content=BOOK, name="list.xlsx"):
    return SimpleUploadedFile(name, content)


def shown(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def typed(service, **changes):
    sender = service.senders.get().pk
    return {"sender": sender, "country": "GB", "when": "now", "text": "Hello", "review": "1"} | changes


def test_hidden_rows_have_to_be_chosen_before_the_review(service, ada):
    page = ada.post("/s/shop/compose/", typed(service, file=file()))
    assert page.status_code == 422
    words = shown(page)
    assert "What we read from your file" in words
    assert "“List”. Not read: “Old” (hidden)." in words
    assert "Row 2. The row above it looks like a title and is not read." in words
    assert "1 row is hidden in the file (row 4), where a filter is set. Choose what becomes of it." in words
    assert "Left out: “Notes”." in words
    draft = Draft.objects.get()
    url = f"/s/shop/drafts/{draft.pk}/"
    assert ada.get(f"{url}review/").status_code == 422  # the address alone does not get around it
    assert 'name="hidden_rows"' in ada.get(url).content.decode()

    on_page = {"choices_of": draft.upload_id}
    page = ada.post(url, typed(service, **on_page, hidden_rows="leave_out", text="Hi $(notes)"))
    assert "“Notes” is hidden in the file: include its hidden columns, or change the text." in shown(page)
    chosen = ada.post(url, typed(service, **on_page, hidden_rows="leave_out"))
    assert (chosen.status_code, chosen["Location"]) == (302, f"{url}review/")
    plan = shown(ada.get(f"{url}review/"))
    assert "2 recipients" in plan
    assert "1 row is hidden in the file (row 4), where a filter is set. Left out." in plan
    assert "Hidden columns Left out: “Notes”." in plan
    ada.post(f"{url}review/", {"revision": again(draft).revision})
    send = Send.objects.get()
    assert [one.row for one in send.messages.order_by("row")] == [3, 5]
    details = AuditEvent.objects.get(act="send.created").details
    assert {name: details[name] for name in ("heading_row", "rows_above", "hidden_rows", "hidden_rows_choice")} == {
        "heading_row": 2, "rows_above": 1, "hidden_rows": 1, "hidden_rows_choice": "leave_out",
    }  # fmt: skip
    assert (details["hidden_columns"], details["hidden_columns_choice"], details["other_sheets"]) == (
        1,
        "leave_out",
        1,
    )


def test_a_large_file_asks_in_the_same_way_and_is_read_again_as_chosen(service, ada):
    wide = "x" * 60
    people = [(f"077009{at:05}", f"{at} {wide} {at * 7919}", "") for at in range(9_000)]
    content = xlsx(Sheet([HEADINGS, *people], hidden_rows=range(1, 11)))
    ada.post("/s/shop/compose/", typed(service, file=file(content)))
    draft = Draft.objects.get()
    assert draft.upload.size > 150_000
    url = f"/s/shop/drafts/{draft.pk}/"
    page = ada.get(f"{url}review/")
    assert page.status_code == 422
    assert "10 rows are hidden in the file (rows 2, 3, 4, 5, 6, 7, 8, 9, …)" in shown(page)
    version = AudienceVersion.objects.get()
    assert (version.ready_at, version.findings["hidden_rows"]) == (None, 10)
    for choice, count in (("leave_out", 8_990), ("include", 9_000)):
        ada.post(url, typed(service, choices_of=draft.upload_id, hidden_rows=choice))
        looked = finished(draft)
        assert looked.figures.recipients == count
        assert looked.order.audience.findings.rows_choice == choice


def test_a_choice_is_of_the_file_that_was_shown(service, ada):
    ada.post("/s/shop/compose/", typed(service, file=file()))
    draft = Draft.objects.get()
    url, first = f"/s/shop/drafts/{draft.pk}/", draft.upload_id
    ada.post(url, typed(service, choices_of=first, hidden_rows="include", heading_row="2"))
    assert (again(draft).hidden_rows, again(draft).heading_row) == ("include", 2)
    # with another file, what the page still says of the old one is nothing
    page = ada.post(
        url, typed(service, choices_of=first, hidden_rows="include", file=file(name="other.xlsx"))
    )
    assert page.status_code == 422
    assert (again(draft).hidden_rows, again(draft).heading_row) == ("", None)
    ada.post(url, typed(service, choices_of=first, hidden_rows="include", save="1"))
    assert again(draft).hidden_rows == ""
    # a page without the panel leaves what was chosen
    ada.post(url, typed(service, choices_of=again(draft).upload_id, hidden_rows="leave_out"))
    ada.post(url, typed(service))
    assert again(draft).hidden_rows == "leave_out"


def test_choices_about_the_same_headings_are_remembered_but_not_hidden_rows(service, ada):
    ada.post("/s/shop/compose/", typed(service, file=file()))
    draft = Draft.objects.get()
    on_page = {"choices_of": draft.upload_id, "hidden_rows": "leave_out", "hidden_columns": "include"}
    url = f"/s/shop/drafts/{draft.pk}/"
    ada.post(url, typed(service, **on_page))
    ada.post(f"{url}review/", {"revision": again(draft).revision})
    assert ColumnMemory.objects.get().choices == {"hidden_columns": "include"}
    ada.post("/s/shop/compose/", typed(service, file=file()))
    following = Draft.objects.exclude(pk=draft.pk).get()
    assert (following.hidden_columns, following.hidden_rows) == ("include", "")


def test_another_sheet_and_row_can_be_chosen(service, ada):
    ada.post("/s/shop/compose/", typed(service, file=file()))
    draft = Draft.objects.get()
    url, on_page = f"/s/shop/drafts/{draft.pk}/", {"choices_of": draft.upload_id}
    ada.post(url, typed(service, **on_page, sheet="Old"))
    page = shown(ada.get(url))
    assert "“Old”, which is hidden. Not read: “List”." in page
    wrong = ada.post(url, typed(service, **on_page, sheet="", hidden_rows="include", heading_row="99"))
    assert wrong.status_code == 422
    assert "Row 99 is empty or too far down" in shown(wrong)
    wrong = ada.post(url, typed(service, **on_page, heading_row="-1"))
    assert (wrong.status_code, again(draft).heading_row) == (422, 99)


def test_the_panel_follows_what_is_typed(service, ada):
    ada.post("/s/shop/compose/", typed(service, file=file()))
    draft = Draft.objects.get()
    url = f"/s/shop/drafts/{draft.pk}/preview/"
    asked = ada.post(url, typed(service)).json()["parts"]["found"]
    assert "Choose what becomes of it" in asked
    included = ada.post(url, typed(service, hidden_rows="include", hidden_columns="include")).json()["parts"]
    assert "where a filter is set. Included." in re.sub(r"\s+", " ", included["found"])
    assert "3 recipients" in re.sub(r"\s+", " ", included["rows"])


@pytest.mark.parametrize("made", [xlsx, ods])
def test_a_saved_audience_asks_and_keeps_the_file_meanwhile(service, ada, made):
    content = made(Sheet([HEADINGS, *PEOPLE], hidden_rows=(2,)))
    fields = {"name": "Regulars", "country": "GB"}
    page = ada.post("/s/shop/audiences/new/", fields | {"file": file(content)})
    assert page.status_code == 422
    assert "1 row is hidden in the file (row 3). Choose what becomes of it." in shown(page)
    kept = re.search(r'name="kept" value="([^"]+)"', page.content.decode())[1]
    assert not SavedAudience.objects.exists()
    assert (
        ada.post(
            "/s/shop/audiences/new/", fields | {"kept": f"{kept}x", "hidden_rows": "include"}
        ).status_code
        == 422
    )
    done = ada.post("/s/shop/audiences/new/", fields | {"kept": kept, "hidden_rows": "leave_out"})
    assert done.status_code == 302
    version = AudienceVersion.objects.get()
    assert (version.recipients, version.choices) == (2, {"hidden_rows": "leave_out"})
    assert "1 row is hidden in the file (row 3). Left out." in shown(ada.get(done["Location"]))
    assert AuditEvent.objects.get(act="audience.created").details["hidden_rows_choice"] == "leave_out"
    assert not Upload.objects.exists()
    # what was chosen for the list is shown where it is used, and not asked about again
    page = ada.get(f"/s/shop/compose/?audience={SavedAudience.objects.get().pk}")
    assert "Left out." in shown(page)
    assert 'name="hidden_rows"' not in page.content.decode()


def test_a_kept_file_is_of_its_service_alone(service, ada):
    fields = {"name": "Regulars", "country": "GB"}
    page = ada.post("/s/shop/audiences/new/", fields | {"file": file()})
    kept = re.search(r'name="kept" value="([^"]+)"', page.content.decode())[1]
    other = a_service(slug="foreign", name="Foreign")
    eve = signed_in("eve@example.test", other, "composer")
    taken = eve.post("/s/foreign/audiences/new/", fields | {"kept": kept, "hidden_rows": "include"})
    assert taken.status_code == 422
    assert not SavedAudience.objects.exists()


def test_opt_outs_ask_before_anybody_is_opted_out(service):
    eva = signed_in("eva@example.test", service, "admin")
    url, evidence = "/s/shop/opt-outs/upload/", {"upload-evidence": "The shop's list"}
    page = eva.post(url, evidence | {"upload-file": file()})
    assert page.status_code == 422
    assert "Choose what becomes of it" in shown(page)
    assert not OptOut.objects.exists()
    kept = re.search(r'name="upload-kept" value="([^"]+)"', page.content.decode())[1]
    done = eva.post(url, evidence | {"upload-kept": kept, "upload-hidden_rows": "include"})
    assert "3 opted out" in shown(done)
    assert "where a filter is set. Included." in shown(done)
