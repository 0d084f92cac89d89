"""How a file is read, said by programs: `/api/v1` and `manage.py send` have no page on which to choose."""

import json
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from sms.models import AudienceVersion, AuditEvent, Send
from tests.support.partners import a_partner
from tests.support.sends import a_service
from tests.support.spreadsheets import Sheet, ods, xlsx

pytestmark = pytest.mark.django_db
PEOPLE = [
    ("Mobile", "Name", "Notes"),
    *((f"0770090000{at}", name, "x") for at, name in enumerate(("Ann", "Ben"), 1)),
]
OLD = Sheet([("Mobile",), ("07700900009",)], name="Old", state="hidden")
SHEETS = (Sheet([("Spring list", "", ""), *PEOPLE], hidden_rows=(2,), hidden_columns=(2,)), OLD)
CHOICES = [  # what is said, the rows that get a message
    ({"hidden_rows": "leave_out"}, [4]),
    ({"hidden_rows": "include"}, [3, 4]),
    ({"hidden_rows": "include", "heading_row": 2}, [3, 4]),
    ({"hidden_rows": "include", "hidden_columns": "include"}, [3, 4]),
    ({"sheet": "Old"}, [2]),
    ({"sheet": "Old", "heading_row": 1, "hidden_rows": "leave_out"}, [2]),
]
WRONG = [
    ({}, "hidden_rows", "hidden_rows"),
    ({"sheet": "Elsewhere"}, "sheet", "invalid_choice"),
    ({"hidden_rows": "include", "heading_row": 99}, "heading_row", "heading_row"),
]


@pytest.fixture(params=[xlsx, ods], ids=["xlsx", "ods"])
def book(request) -> bytes:
    return request.param(*SHEETS)


def posted(partner, path, content, **fields):
    file = SimpleUploadedFile("list", content)
    return partner.client.post(
        f"/api/v1/{path}",
        fields | {"file": file},
        headers={"key": partner.token, "Idempotency-Key": str(uuid4())},
    )


@pytest.mark.parametrize(("said", "rows"), CHOICES)
def test_a_send_reads_its_file_as_it_is_told(book, said, rows):
    _, partner = a_partner()
    answer = posted(partner, "sends", book, text="Hi", **said)
    assert answer.status_code == 201, answer.content
    send = Send.objects.get()
    assert sorted(send.messages.values_list("row", flat=True)) == rows
    details = AuditEvent.objects.get(act="send.created").details
    assert details.get("hidden_rows_choice") == (said["hidden_rows"] if "sheet" not in said else None)


@pytest.mark.parametrize(("said", "field", "code"), WRONG)
@pytest.mark.parametrize("path", ["sends", "audiences"])
def test_what_has_to_be_said_is_named(book, path, said, field, code):
    _, partner = a_partner()
    fields = {"text": "Hi"} if path == "sends" else {"name": "Customers"}
    answer = posted(partner, path, book, **fields, **said)
    assert answer.status_code == 422
    (problem,) = answer.json()["errors"]
    assert (problem["field"], problem["code"]) == (field, code)
    if field == "hidden_rows":
        assert "1 row of this file is hidden (row 3)" in problem["detail"]
        assert problem["detail"].endswith("Give hidden_rows: leave_out or include.")


def test_an_audience_keeps_what_was_chosen_and_found(book):
    _, partner = a_partner()
    made = posted(partner, "audiences", book, name="Customers", hidden_rows="leave_out")
    assert made.status_code == 201
    version = AudienceVersion.objects.get()
    assert version.choices == {"hidden_rows": "leave_out"}
    assert made.json()["current"]["findings"] == version.findings
    assert {name: version.findings[name] for name in ("heading_row", "rows_above", "hidden_rows", "hidden_columns")} == {
        "heading_row": 2, "rows_above": 1, "hidden_rows": 1, "hidden_columns": ["Notes"],
    }  # fmt: skip
    again = posted(partner, f"audiences/{made.json()['id']}/versions", book, hidden_rows="include")
    assert again.json()["current"]["recipient_count"] == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"recipients": ["+447700900101"], "hidden_rows": "include"}, "hidden_rows"),
        ({"recipients": ["+447700900101"], "heading_row": 1}, "heading_row"),
        ({"csv": "Mobile\n+447700900101", "sheet": "List"}, "sheet"),
        ({"csv": "Mobile\n+447700900101", "hidden_rows": "maybe"}, "hidden_rows"),
        ({"csv": "Mobile\n+447700900101", "heading_row": -1}, "heading_row"),
    ],
)
def test_a_choice_that_has_no_effect_is_refused(body, field):
    _, partner = a_partner()
    answer = partner.post("sends", {"text": "Hi"} | body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field


def test_a_table_in_a_body_has_a_row_of_headings():
    _, partner = a_partner()
    table = "Office,+447700900001\nName,Mobile\nAda,+447700900101\n"
    refused = partner.post("sends/plan", {"text": "Hi $(Name)", "csv": table})
    assert refused.json()["errors"][0]["field"] == "heading_row"
    answer = partner.post("sends/plan", {"text": "Hi $(Name)", "csv": table, "heading_row": 2})
    assert answer.json()["recipient_count"] == 1


@pytest.mark.parametrize(("said", "rows"), CHOICES)
def test_the_command_reads_its_file_as_it_is_told(book, said, rows, tmp_path, capsys):
    a_service()
    path = tmp_path / "list"
    path.write_bytes(book)
    options = [f"--{name.replace('_', '-')}={value}" for name, value in said.items()]
    call_command(
        "send", "--service=shop", "--sender=SHOP", "--text=Hi", f"--audience={path}", "--json", *options
    )
    assert json.loads(capsys.readouterr().out)["recipients"] == len(rows)
    assert sorted(Send.objects.get().messages.values_list("row", flat=True)) == rows


@pytest.mark.parametrize(("said", "field", "_code"), WRONG)
def test_the_command_names_what_has_to_be_said(book, said, field, _code, tmp_path):
    a_service()
    path = tmp_path / "list"
    path.write_bytes(book)
    options = [f"--{name.replace('_', '-')}={value}" for name, value in said.items()]
    with pytest.raises(CommandError, match=f"^{field}: "):
        call_command("send", "--service=shop", "--sender=SHOP", "--text=Hi", f"--audience={path}", *options)
    assert not Send.objects.exists()
