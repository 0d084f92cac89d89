"""The rows on the compose page: shown as a table, put right in place by an ordinary press, and files and times without detours."""

import csv
import io
import re
from datetime import timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from sms.audiences.storage import every_recipient
from sms.compose import background
from sms.models import AuditEvent, Draft, Message, Send, Upload
from tests.support.pages import text_of
from tests.support.people import signed_in
from tests.support.sends import a_service

pytestmark = pytest.mark.django_db

FILE = "Mobile,Name,Order\n07700900123,Ada,A1\n0770,Ben,A2\n07700900123,Ada,A3\n07700900125,,A4\n"


@pytest.fixture
def service():
    return a_service()


@pytest.fixture
def composer(service):
    return signed_in("composer@example.test", service, "composer")


def typed(service, **changes) -> dict[str, object]:
    fields = {"sender": service.senders.get().pk, "text": "Hello", "country": "GB", "when": "now"}
    return fields | (changes if {"review", "correct", "preset"} & set(changes) else {"save": "1"} | changes)


def upload(content: bytes, name: str = "people.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def cells(page) -> dict[str, str]:
    """The fields of the table as a browser without scripts would post them."""
    found = {}
    for tag in re.findall(r"<input[^>]+>", page.content.decode()):
        name = re.search(r'name="((?:cell|was)-[^"]+)"', tag)
        if name:
            found[name[1]] = unescape(re.search(r'value="([^"]*)"', tag)[1])
    return found


def test_bad_cells_of_a_file_are_shown_with_their_reason_and_put_right_in_place(service, composer):
    text = "Hi $(name), order $(order)."
    at = composer.post("/s/shop/compose/", typed(service, text=text, file=upload(FILE.encode()))).url
    page = composer.get(at)
    said = text_of(page)
    assert "Mobile the numbers" in said
    assert "Name $(name)" in said
    assert "Row 2 is sent. It differs: Order is “A1” there and “A3” here." in said
    assert "This row has nothing for $(name)." in said
    shown = cells(page)
    assert shown["cell-3-0"] == "0770"
    assert "07700900124" not in page.content.decode()
    changes = {"cell-3-0": "07700 900124", "cell-5-1": "Dan"}
    answer = composer.post(at, typed(service, text=text, correct="1") | shown | changes)
    assert answer.status_code == 302
    said = text_of(composer.get(at))
    assert "2 rows corrected and checked again." in said
    assert "0770 " not in said
    assert Upload.objects.get(name="people.csv").content == FILE.encode(), "the file stays as it was uploaded"
    assert AuditEvent.objects.filter(act="draft.rows_mended").count() == 1
    review = composer.post(at, typed(service, text=text, review="1") | cells(composer.get(at))).url
    composer.post(review)
    rows = every_recipient(Send.objects.get().audience)
    assert {one.msisdn: one.substitutions["Name"] for one in rows} == {
        "+447700900123": "Ada",
        "+447700900124": "Ben",
        "+447700900125": "Dan",
    }


@pytest.mark.parametrize("rows", [4, 9_000])
def test_the_flight_plan_says_what_differs_between_rows_of_one_number(service, composer, rows):
    """Also of a file that is large and read in the background."""
    more = "".join(f"0771{at:07d},Zoe,A9\n" for at in range(rows - 4))
    at = composer.post("/s/shop/compose/", typed(service, file=upload((FILE + more).encode()))).url
    review = composer.post(at, typed(service, review="1")).url
    background.run(stopped=lambda: False)
    composer.get(review)
    background.run(stopped=lambda: False)
    said = text_of(composer.get(review))
    assert (
        "The same number is already in row 2. Row 2 is sent. It differs: Order is “A1” there and “A3” here."
        in said
    )


def test_a_corrected_number_of_a_pasted_list_stands_in_the_list_whatever_button_is_pressed(service, composer):
    pasted = "07700 900123\n\n12, 07700 900125"
    at = composer.post("/s/shop/compose/", typed(service, pasted=pasted)).url
    shown = cells(composer.get(at))
    assert shown["cell-3-0"].strip() == "12"
    review = composer.post(
        at, typed(service, pasted=pasted, review="1") | shown | {"cell-3-0": "07700 900124"}
    ).url
    assert review.endswith("/review/")
    assert Draft.objects.get().pasted.splitlines() == ["07700 900123", "", "07700 900124, 07700 900125"]
    stale = composer.post(at, typed(service, pasted=pasted, correct="1") | {"was-3-0": "99", "cell-3-0": "1"})
    assert "was changed while you corrected it" in text_of(composer.get(stale.url))


@pytest.mark.parametrize(
    ("content", "name", "what"),
    [
        (b"%PDF-1.7 nothing", "list.csv", "a PDF"),
        (b"\x89PNG\r\n\x1a\n0000", "people.xlsx", "a PNG image"),
        (b"<html><body>x</body></html>", "people.xls", "a web page"),
    ],
)
def test_a_wrong_file_is_never_in_use_and_the_one_before_stays(service, composer, content, name, what):
    at = composer.post("/s/shop/compose/", typed(service, file=upload(FILE.encode()))).url
    saved = composer.post(f"{at}save/", typed(service, file=upload(content, name))).json()
    says = saved["errors"]["File"][0]
    assert f"“{name}” was not taken. This file is not a spreadsheet: it is {what}" in says
    assert "save it as CSV or XLSX" in says
    assert name not in saved["file"]
    assert Draft.objects.get().upload.name == "people.csv"


def test_pasted_rows_beside_a_file_are_said_at_once(service, composer):
    at = composer.post("/s/shop/compose/", typed(service, file=upload(FILE.encode()))).url
    parts = composer.post(f"{at}preview/", typed(service, pasted="07700 900124")).json()["parts"]
    assert "There are pasted numbers and a file. Clear what you do not want." in parts["rows"]


def test_the_sample_file_has_a_column_for_each_placeholder_and_is_taken_back(service, composer):
    text = "Hi $(name), order $(order)."
    at = composer.post("/s/shop/compose/", typed(service, text=text)).url
    answer = composer.get(f"{at}sample.csv")
    content = b"".join(answer.streaming_content)
    heads, example = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    assert heads == ["number", "name", "order"]
    assert all(example)
    assert composer.post(at, typed(service, text=text, file=upload(content), review="1")).status_code == 302
    assert not Message.objects.exists()


def test_a_preset_sets_the_time_by_the_clock_of_the_service(service, composer):
    service.time_zone = "Asia/Tokyo"
    service.save()
    at = composer.post("/s/shop/compose/", typed(service, preset="tomorrow")).url
    draft = Draft.objects.get()
    tokyo = ZoneInfo("Asia/Tokyo")
    tomorrow = timezone.now().astimezone(tokyo).date() + timedelta(days=1)
    assert draft.send_at.astimezone(tokyo).strftime("%Y-%m-%d %H:%M") == f"{tomorrow} 09:00"
    assert draft.time_zone == "Asia/Tokyo"
    assert "Tomorrow 9:00" in text_of(composer.get(at))


def test_a_time_that_is_still_to_be_given_is_a_mistake_only_when_it_is_sent(service, composer):
    at = composer.post("/s/shop/compose/", typed(service, pasted="07700 900123")).url
    waits = typed(service, pasted="07700 900123", when="later", send_at="")
    assert composer.post(f"{at}save/", waits).json()["errors"] == {}
    assert composer.post(at, waits | {"review": "1"}).status_code == 422
