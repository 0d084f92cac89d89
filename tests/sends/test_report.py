"""The report of a send: the rows it went to, plus what became of each, by every way in; and read again as an audience, the same."""

import csv
import io
import re
import unicodedata

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from hypothesis import example, given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from sms.audiences import packing, saved
from sms.audiences.files import Audience, Limits, read
from sms.audiences.files.columns import names_numbers
from sms.compose.placeholders import CORRELATION_KEY, ZONE_KEYS
from sms.inbound import optouts
from sms.models import AudienceChunk, AuditEvent, Draft, Message, OptOut, Price, Reject, Send
from sms.sends.report import SendReport, csv_of, write_xlsx
from sms.sends.report.lines import APPENDED
from sms.values.text import match_key
from sms.webex import codes
from tests.support.drop_in import body as drop_in_body
from tests.support.drop_in import post as drop_in_post
from tests.support.large_audiences import people
from tests.support.partners import Partner, a_key, a_partner
from tests.support.past_sends import a_past_send
from tests.support.people import a_cast
from tests.support.provider import Provider, accepted, refused
from tests.support.sends import BY, a_send

pytestmark = pytest.mark.django_db
FILE = (
    "Mobile,Reference,Name,state\n"
    "07700 900001,CASE-77,Ann,NY\n"
    "12,CASE-78,Bob,\n"
    '07700 900003,CASE-79,"O\'Neil; =1+1",CA\n'
    "07700900001,CASE-80,Ann again,\n"
    "07700 900005,CASE-81,,TX\n"
)
GB = {"country": "GB", "limits": Limits()}


@pytest.fixture
def cast():
    return a_cast(waiting=True)


def sent_from_page(cast, who="composer", *, text="Hi $(Name)", **changes) -> Send:
    sender = cast.service.senders.get().pk
    fields = {"sender": sender, "text": text, "country": "GB", "when": "now", "review": "1"} | changes
    if "pasted" not in fields and "audience" not in fields:
        fields["file"] = SimpleUploadedFile("people.csv", FILE.encode())
    review = cast[who].post("/s/shop/compose/", fields)
    assert review.status_code == 302, review.text
    sent = cast[who].post(review.url)
    assert sent.status_code == 302, sent.text
    return Send.objects.latest("pk")


def report_of(client, send: Send, kind: str = "csv") -> list[dict[str, str]]:
    answer = client.post(f"/s/shop/sends/{send.pk}/messages/", {"kind": kind})
    assert answer.status_code == 200
    assert f"report-send-{send.pk}.{kind}" in answer.headers["Content-Disposition"]
    return rows_of(answer.getvalue(), kind)


def rows_of(content: bytes, kind: str = "csv") -> list[dict[str, str]]:
    if kind == "csv":
        return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    names, *rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    return [dict(zip(names, row, strict=True)) for row in rows]


def fed_back(content: bytes, name: str = "report.csv") -> Audience:
    return read(io.BytesIO(content), name=name, **GB)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_file_with_all_its_columns_and_what_became_of_each_row(kind, cast):
    Price.objects.create(service=cast.service, country="GB", amount="0.04", currency="GBP")
    optouts.opt_out(cast.service.pk, [optouts.Refusal("+447700900003")], by=BY, source=OptOut.Source.PAGE)
    send = sent_from_page(cast)
    Provider(accepted).dispatch()
    found = report_of(cast["composer"], send, kind)
    assert [*found[0]][:4] == ["Mobile", "Reference", "Name", "state"]
    assert [one["Reference"] for one in found] == [f"CASE-{at}" for at in (77, 78, 79, 80, 81)]
    assert [int(one["row"]) for one in found] == [2, 3, 4, 5, 6], "as a spreadsheet counts them"
    assert [one["state"] for one in found] == ["NY", "", "CA", "", "TX"], "the file's own column stays"
    assert [one["message state"] for one in found] == ["queued", *["left out"] * 4]
    assert [one["code"] for one in found] == ["", "too_short", "opted_out", "duplicate", "missing_value"]
    assert "already in row 2" in found[3]["what it means"]
    assert found[0]["Mobile"].lstrip("'") == "+447700900001"
    assert (
        float(found[0]["cost"]) == 0.04 and found[0]["currency"] == "GBP" and int(found[0]["segments"]) == 1
    )
    assert found[2]["Name"] == "O'Neil; =1+1" if kind == "xlsx" else "O'Neil;' =1+1"
    event = AuditEvent.objects.get(act="send.messages_exported")
    assert (event.details["kind"], event.details["whole_numbers"], event.details["rows"]) == (kind, True, 5)


def test_failures_say_why_and_clicks_are_counted(cast):
    send = a_past_send(cast.service, 4, days=1, content="Hi https://example.com", track_clicks=True)
    found = report_of(cast["auditor"], send)
    assert sorted(one["state"] for one in found) == ["delivered", "delivered", "failed", "no_report"]
    failed = next(one for one in found if one["state"] == "failed")
    assert failed["code"] and len(failed["what it means"]) > 10 and failed["ended (UTC)"].endswith("Z")
    clicked = Message.objects.filter(send=send, clicks__verdict="human").values_list("row", flat=True)
    assert {int(one["row"]) for one in found if one["clicks"] not in ("", "0")} == set(clicked)


def test_refusals_of_the_provider_are_in_words(cast):
    send = sent_from_page(cast, pasted="07700 900001", file="", text="Hi")
    Provider(lambda _: refused("7102")).dispatch()
    (one,) = report_of(cast["composer"], send)
    assert (one["number"], one["state"], one["code"]) == ("'+447700900001", "failed", "7102")
    assert one["what it means"] == codes.lookup("7102").meaning, "as on the page of the send"


# --- By every way in ------------------------------------------------------------------------------------------------------
def test_a_command_and_a_request_keep_the_columns_that_they_had(cast, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(FILE)
    call_command("send", service="shop", sender="SHOP", text="Hi $(Name)", audience=path)
    found = report_of(cast["admin"], Send.objects.latest("pk"))
    assert [one["Reference"] for one in found] == [f"CASE-{at}" for at in (77, 78, 79, 80, 81)]
    _, partner = a_partner(service=cast.service)
    asked = {"sender": "SHOP", "text": "Hi", "csv": FILE, "country": "GB"}
    made = partner.post("sends", asked, Idempotency_Key="k1").json()
    assert report_of(cast["admin"], Send.objects.get(pk=made["id"]))[0]["Reference"] == "CASE-77"
    people = [{"number": "+447700900001", "values": {"ref": "CASE-90"}}]
    made = partner.post(
        "sends", {"sender": "SHOP", "text": "Hi", "recipients": people}, Idempotency_Key="k2"
    ).json()
    (one,) = report_of(cast["admin"], Send.objects.get(pk=made["id"]))
    assert (one["ref"], one["number"], one["row"]) == ("CASE-90", "'+447700900001", "1")
    to = [{"msisdn": ["447700900002"], "correlationId": "C-1", "substitutions": {"ref": "CASE-91"}}]
    assert drop_in_post(partner.token, drop_in_body(to=to)).status_code == 201
    (one,) = report_of(cast["admin"], Send.objects.latest("pk"))
    assert (one["number"], one["asked correlation id"]) == ("'+447700900002", "C-1")


def test_a_value_that_only_a_late_destination_has_is_in_the_report_of_a_partners_request(cast):
    to = [{"msisdn": [f"4477009{at:05}"], "substitutions": {"ref": f"CASE-{at}"}} for at in range(150)]
    to[-1]["substitutions"] |= {"gate": "B12"}
    assert drop_in_post(a_key(cast.service), drop_in_body(to=to)).status_code == 201
    found = report_of(cast["admin"], Send.objects.latest("pk"))
    assert (found[0]["ref"], found[0]["gate"]) == ("CASE-0", "")
    assert (found[-1]["ref"], found[-1]["gate"]) == ("CASE-149", "B12")


def a_reader(cast, *scopes: str) -> Partner:
    return Partner(a_key(cast.service, scopes=list(scopes), name=" ".join(scopes)))


def test_the_api_gives_the_same_file_and_whole_numbers_to_the_scope(cast):
    send = sent_from_page(cast)
    whole = a_reader(cast, "read", "texts", "numbers", "all").get(f"sends/{send.pk}/report")
    assert whole.headers["Content-Type"].startswith("text/csv")
    theirs = cast["composer"].post(f"/s/shop/sends/{send.pk}/messages/").getvalue()
    assert whole.getvalue() == theirs
    masked = a_reader(cast, "read", "texts", "all")
    content = masked.get(f"sends/{send.pk}/report", accept="text/csv").getvalue().decode()
    assert "CASE-77" in content and "+44 7700 ••• 001" in content and "900001" not in content
    assert (
        rows_of(masked.get(f"sends/{send.pk}/report?kind=xlsx").getvalue(), "xlsx")[0]["Reference"]
        == "CASE-77"
    )
    wrong = masked.get(f"sends/{send.pk}/report?kind=pdf")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "kind")
    assert a_reader(cast, "send").get(f"sends/{send.pk}/report").status_code == 403


def test_whole_numbers_are_for_whoever_sent_them_and_may_export(cast):
    packed = packing.pack_pasted(
        "mobile,name,landline\n07700900001,Ann,020 7946 0000\n", country="GB", limits=Limits()
    )
    audience = saved.create(cast.service, packed, name="Regulars", by=BY)
    ours = sent_from_page(cast, audience=audience.pk, text="Hi $(name)")
    own = sent_from_page(cast, pasted="07700 900002", text="Hi")
    theirs = sent_from_page(cast, "admin", pasted="07700 900003", text="Hi")
    assert report_of(cast["composer"], own)[0]["number"] == "'+447700900002"
    for send in (ours, theirs):
        (one,) = report_of(cast["composer"], send)
        assert "•••" in (one.get("mobile") or one["number"])
        assert "7946" not in str(one)
        assert "•••" not in str(report_of(cast["auditor"], send))
    assert "without their middle" in cast["composer"].get(f"/s/shop/sends/{ours.pk}/").text
    assert "without their middle" not in cast["composer"].get(f"/s/shop/sends/{own.pk}/").text
    assert cast["approver"].post(f"/s/shop/sends/{own.pk}/messages/").status_code == 403


@pytest.mark.parametrize(
    "written",
    [
        *(
            "44 7911 654321",
            "07911–654321",
            "07911\u202f654321",
            "tel:07911 654321",
            "07911 654321 x5",
            "447911654321-",
        ),
        *(
            "٠٧٩١١ ٦٥٤٣٢١",
            "4.47911654321E+11",
            "Home07911654321",
            "ring 7911 654 321 or else",
            "07911\n654321",
        ),
        "AB123456789 07911 654321",
    ],
)
@pytest.mark.parametrize("heading", ["other phone", "note", "correlation id"])
def test_another_number_of_the_row_is_hidden_in_whatever_form_it_is_written(written, heading, cast):
    rows = f'mobile,{heading},ref\n07700900001,"{written}",CASE-2026-0077 of 2026-11-30\n'
    packed = packing.pack_pasted(rows, country="GB", limits=Limits())
    audience = saved.create(cast.service, packed, name="Regulars", by=BY)
    send = sent_from_page(cast, audience=audience.pk, text="Hi")
    answer = cast["composer"].post(f"/s/shop/sends/{send.pk}/messages/").getvalue().decode()
    plain = "".join(str(unicodedata.digit(char)) if char.isdigit() else char for char in answer)
    assert not re.search(r"6\W*5\W*4\W*3|654", plain), plain
    assert "CASE-2026-0077 of 2026-11-30" in answer
    (whole,) = report_of(cast["auditor"], send)
    assert whole[heading].split() == written.split()


def test_the_columns_of_every_destination_of_a_partners_request_are_there(cast):
    _, partner = a_partner(service=cast.service)
    to = [
        {"msisdn": [f"4477009{at:05}"], "substitutions": {"late": "x"} if at == 150 else {"ref": f"R{at}"}}
        for at in range(151)
    ]
    assert drop_in_post(partner.token, drop_in_body(to=to)).status_code == 201
    found = report_of(cast["admin"], Send.objects.latest("pk"))
    assert (len(found), found[150]["late"], found[149]["ref"]) == (151, "x", "R149")


# --- What is left ---------------------------------------------------------------------------------------------------------
def test_after_retention_it_has_what_is_left_and_says_so(cast):
    send = sent_from_page(cast)
    Draft.objects.filter(send=send).update(upload=None)
    (one, *_) = report_of(cast["admin"], send)
    assert "Reference" not in one and one["number"] == "'+447700900001"
    assert "were deleted when their days were over" in cast["admin"].get(f"/s/shop/sends/{send.pk}/").text


def test_a_row_that_is_another_persons_by_now_is_not_joined(cast):
    """An erasure took a row out of the file, and those below moved up."""
    send = sent_from_page(cast)
    without = FILE.replace("07700 900001,CASE-77,Ann,NY\n", "")
    upload = Draft.objects.get(send=send).upload
    type(upload).objects.filter(pk=upload.pk).update(content=without.encode(), size=len(without))
    for one in report_of(cast["admin"], send):
        assert not (one["Mobile"].endswith("0001") and one["Reference"])


def test_a_large_send_is_joined_block_by_block_with_gaps_and_rows_at_the_end(cast):
    audience = read(io.BytesIO(people(7_000)), name="people.csv", country="GB", limits=Limits())
    send = a_send(cast.service, 1, audience=audience, content="Hi $(Customer)")
    assert send.recipients > 5_000
    gone = send.messages.order_by("pk")[2_500:2_510]
    lost = {one.row for one in gone}
    Message.objects.filter(pk__in=[one.pk for one in gone]).delete()
    Reject.objects.filter(send=send, row__gt=3_000, row__lt=3_500).delete()
    found = report_of(cast["admin"], send)
    assert [int(one["row"]) for one in found] == list(range(2, 7_002))
    assert all(one["Customer"] == f"Person {int(one['row']) - 2}" for one in found)
    assert {int(one["row"]) for one in found if one["state"] == "no message"} == lost
    assert {one["state"] for one in found} == {"pending", "left out", "no message"}
    AudienceChunk.objects.filter(version=send.audience, place=1).delete()
    rows = report_of(cast["admin"], send)
    assert len(rows) >= 2_900 and rows[10]["Customer"] == "Person 10"


# --- Read again -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_report_as_an_audience_is_the_file(kind, cast):
    send = sent_from_page(cast)
    content = cast["composer"].post(f"/s/shop/sends/{send.pk}/messages/", {"kind": kind}).getvalue()
    before, after = fed_back(FILE.encode(), "people.csv"), fed_back(content, f"report.{kind}")
    assert after.column == before.column
    own = [name for name in before.headings if name != before.column]
    assert [
        (one.row, one.msisdn, {name: one.substitutions.get(name) for name in own}) for one in after.recipients
    ] == [
        (one.row, one.msisdn, {name: one.substitutions.get(name) for name in own})
        for one in before.recipients
    ]
    assert [(one.row, one.code) for one in after.rejects] == [(one.row, one.code) for one in before.rejects]


def test_no_appended_column_means_anything_to_the_reader():
    keys = {match_key(name) for name in APPENDED}
    assert not any(map(names_numbers, APPENDED))
    assert not keys & {CORRELATION_KEY, *ZONE_KEYS}


CELLS = st.text(
    st.one_of(
        st.sampled_from("=+-@;|\t' \",:0179aé＝\r\n"),
        st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"], exclude_characters="\ufffd\ufeff"),
    ),
    max_size=12,
)


@given(st.lists(CELLS, min_size=1, max_size=8), st.sampled_from(["csv", "xlsx"]))
@example(["=1+1", "-2", "@x", "';=1", "a;=b", "\t=1", "'=x", "_x0041_"], "csv")
@example(["=1+1", "-2", "@x", "';=1", "a;=b", "x\t=1", "'=x", "_x0041_"], "xlsx")
def test_whatever_stands_in_a_cell_leaves_disarmed_and_comes_back_as_it_was(tmp_path_factory, cells, kind):
    lines = [["+447700900001", *cells], ["+447700900002", *cells]]
    made = SendReport(["mobile", *(f"c{at}" for at in range(len(cells)))], iter(lines))
    if kind == "csv":
        content = "".join(csv_of(made)).encode()
        for delimiter in ",;\t|":
            for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter):
                assert not any(cell.lstrip(' "').startswith(tuple("=+-@＝")) for cell in row), (
                    delimiter,
                    row,
                )
    else:
        path = tmp_path_factory.mktemp("report") / "report.xlsx"
        write_xlsx(path, made)
        content = path.read_bytes()
    found = fed_back(content, f"report.{kind}")
    assert [one.msisdn for one in found.recipients] == ["+447700900001", "+447700900002"]
    expected = [cell.strip() for cell in cells]
    errors = {"", "#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"}
    for one in found.recipients:
        for at, cell in enumerate(expected):
            came = one.substitutions.get(f"c{at}", "")
            assert " ".join(came.split()) == " ".join(cell.split()) or cell in errors


def test_an_opt_out_export_that_is_uploaded_again_changes_nothing(cast):
    numbers = [f"+44770090000{at}" for at in range(4)]
    optouts.opt_out(
        cast.service.pk, [optouts.Refusal(one) for one in numbers], by=BY, source=OptOut.Source.PAGE
    )
    optouts.opt_in(cast.service.pk, numbers[:1], by=BY, reason="asked")
    export = cast["admin"].post("/s/shop/opt-outs/export/").getvalue()
    optouts.opt_in(cast.service.pk, numbers[1:2], by=BY, reason="asked")  # after the export was made
    before = sorted(OptOut.objects.values_list("msisdn", "at", "lifted_at"))
    file = SimpleUploadedFile("opt-outs.csv", export)
    page = cast["admin"].post(
        "/s/shop/opt-outs/upload/", {"upload-file": file, "upload-evidence": "our list"}
    )
    assert "2 refusals in this list were lifted since" in " ".join(page.text.split())
    assert sorted(OptOut.objects.values_list("msisdn", "at", "lifted_at")) == before
    optouts.opt_out(cast.service.pk, [optouts.Refusal(numbers[0])], by=BY, source=OptOut.Source.PAGE)
    later = cast["admin"].post("/s/shop/opt-outs/export/").getvalue()
    optouts_before = OptOut.objects.count()
    file = SimpleUploadedFile("opt-outs.csv", later)
    cast["admin"].post("/s/shop/opt-outs/upload/", {"upload-file": file, "upload-evidence": "our list"})
    assert OptOut.objects.count() == optouts_before
    assert numbers[0] in OptOut.in_force(cast.service.pk, numbers)
