"""Errors for programs: a code, a row, what could stand there instead, a name for the request, a page for the code; nothing in silence."""

import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from sms.api.v1.problem_kinds import ERRORS, KINDS
from sms.models import ApiKey, IdempotentAnswer, Message, RefusedRequest, Send
from sms.values.problems import ProblemCode
from tests.environment import ROOT
from tests.support.drop_in import body as drop_in_body
from tests.support.large_audiences import refused
from tests.support.logs import written_log
from tests.support.partners import a_key, a_partner, one_of_everything
from tests.support.server_entry import ask
from tests.support.two_keys import operations

pytestmark = pytest.mark.django_db
TO, REFUSER = "+447700900101", "+447700900002"  # the second opted out
HI = {"text": "Hi", "recipients": [TO]}
NAME = re.compile(r"req_[A-Za-z]{20}")

# (method, path, body, headers): field, code, and choices, of which the first has to be the likeliest
ODD = [
    ("GET", "sends?state=done", None, {}, "state", "invalid_choice", None),
    ("GET", "sends?test=yes", None, {}, "test", "invalid_choice", None),
    ("GET", "sends?limt=2", None, {}, "limt", "unknown_field", "limit"),
    ("GET", "sends?fields=id,sate", None, {}, "fields", "unknown_field", "state"),
    ("GET", "sends?state=sending&state=awaiting", None, {}, "state", "only_one", None),
    ("GET", "sends?limit=0", None, {}, "limit", "out_of_range", None),
    ("GET", "sends?created_from=2026-01-01", None, {}, "created_from", "invalid", None),
    ("GET", "sends/{sends}?limit=2", None, {}, "limit", "unknown_field", "fields"),
    ("GET", "sends/{sends}/messages?state=Delivered", None, {}, "state", "invalid_choice", None),
    ("GET", "sends/{sends}/rejects?code=opt_out", None, {}, "code", "invalid_choice", "opted_out"),
    ("GET", "sends/{sends}/report?kind=pdf", None, {}, "kind", "invalid_choice", None),
    ("GET", "senders?kind=long", None, {}, "kind", "invalid_choice", "long_code"),
    ("GET", "callbacks?state=given-up", None, {}, "state", "invalid_choice", "given_up"),
    ("GET", "opt-outs?source=web", None, {}, "source", "invalid_choice", None),
    ("GET", "messages?send=x", None, {}, "send", "invalid", None),
    ("POST", "sends?state=x", HI, {}, "state", "unknown_field", None),
    ("POST", "sends", HI | {"lane": "normale"}, {}, "lane", "invalid_choice", "normal"),
    ("POST", "sends", HI | {"receipts": ["SEEN"]}, {}, "receipts[0]", "invalid_choice", "SENT"),
    ("POST", "sends", HI | {"receipts": ["CLICKED"]}, {}, "receipts", "needs_another", None),
    ("POST", "sends", HI | {"leave_out": ["land-line"]}, {}, "leave_out[0]", "invalid_choice", "landline"),
    ("POST", "sends", HI | {"strict": "perhaps"}, {}, "strict", "invalid", "true"),
    ("POST", "sends", HI | {"country": "gb"}, {}, "country", "invalid_choice", "GB"),
    ("POST", "sends", HI | {"recipent": [TO]}, {}, "recipent", "unknown_field", "recipients"),
    (
        "POST",
        "sends",
        {"text": "Hi", "recipients": [{"no": TO}]},
        {},
        "recipients[0].no",
        "unknown_field",
        None,
    ),
    (
        *("POST", "sends", HI | {"recipients": [{"number": TO, "refrence": "a"}]}, {}),
        *("recipients[0].refrence", "unknown_field", "reference"),
    ),
    ("POST", "sends", HI | {"sender": "SHOPP"}, {}, "sender", "not_usable", "SHOP"),
    ("POST", "sends", HI | {"template": "order_shiped"}, {}, "template", "not_usable", "order_shipped"),
    ("POST", "sends", HI | {"policy_group": "Marketing"}, {}, "policy_group", "not_usable", "marketing"),
    ("POST", "sends", HI | {"link_domain": "wbxc.io"}, {}, "link_domain", "not_usable", "uk.wbxc.io"),
    ("POST", "sends", [HI], {}, "", "invalid", None),
    ("POST", "sends", '{"text":"a","text":"b","recipients":["+447700900101"]}', {}, "text", "only_one", None),
    ("POST", "sends", HI, {"If-Match": '"x"'}, "If-Match", "needs_another", None),
    ("POST", "sends", HI, {"If-None-Match": "*"}, "If-None-Match", "needs_another", None),
    ("POST", "sends", HI, {"X-HTTP-Method-Override": "PUT"}, "X-HTTP-Method-Override", "needs_another", None),
    ("GET", "sends", None, {"If-Match": '"x"'}, "If-Match", "needs_another", None),
    ("GET", "sends", {"state": "sending"}, {}, "body", "needs_another", None),
    ("DELETE", "audiences/{audiences}", {"now": True}, {}, "body", "needs_another", None),
    ("POST", "sends/{sends}/cancel", {"now": True}, {}, "now", "unknown_field", None),
    ("PATCH", "audiences/{audiences}", {"nam": "x"}, {}, "nam", "unknown_field", "name"),
    ("POST", "opt-outs", {"numbers": [TO, "12"], "evidence": "x"}, {}, "numbers[1]", "too_short", None),
    (
        *(
            "POST",
            "callback-endpoints",
            {"name": "x", "url": "https://e.example", "events": ["message.sent"]},
        ),
        *({}, "events[0]", "invalid_choice", None),
    ),
]


@pytest.fixture
def things():
    service, partner = a_partner()
    return partner, one_of_everything(service)


def test_every_odd_request_is_refused_with_a_code_and_what_could_stand_there(things):
    partner, ids = things
    before = Send.objects.count(), Message.objects.count()
    for method, path, body, headers, field, code, likeliest in ODD:
        given = headers | ({"Idempotency-Key": "k"} if method == "POST" else {})
        raw = body if isinstance(body, str) else json.dumps(body)
        more = {} if body is None else {"data": raw, "content_type": "application/json"}
        where = f"/api/v1/{path.format(**ids)}"
        answer = Client().generic(method, where, headers=given | {"key": partner.token}, **more)
        about = (method, where, body, answer.content)
        assert answer.status_code in (400, 422), about
        said = answer.json()
        assert said["type"].endswith(f"/api/problems/{said['code']}"), about
        assert said["request_id"] == answer["Request-Id"] and NAME.fullmatch(said["request_id"]), about
        assert said["error_count"] == len(said["errors"]), about
        (error,) = said["errors"]
        assert set(error) == {"field", "code", "detail", "row", "index", "choices"}, about
        assert (error["field"], error["code"]) == (field, code), about
        assert likeliest is None or error["choices"][0] == likeliest, about
        assert error["choices"] or code not in ("invalid_choice", "not_usable"), about
    assert before == (Send.objects.count(), Message.objects.count())
    assert not IdempotentAnswer.objects.exists()


def test_names_of_the_catalogue_are_for_keys_that_may_read_it(things):
    _, partner = a_partner("send", service=ApiKey.objects.get().service)
    error = partner.post("sends", HI | {"template": "order_shiped"}, Idempotency_Key="1").json()["errors"][0]
    assert error["choices"] == [] and "order_shipped" not in error["detail"]


ROWS = [TO, REFUSER, "12", TO]
TABLE = "mobile\n" + "\n".join(ROWS)


@pytest.mark.parametrize("plan", [True, False])
def test_strict_refuses_all_where_a_row_would_be_left_out(things, plan):
    partner, _ = things
    before = Send.objects.count()
    asked, at = {"text": "Hi", "strict": True}, "sends/plan" if plan else "sends"
    whole = partner.post(at, asked | {"recipients": ROWS}, Idempotency_Key="1")
    assert whole.status_code == 422 and whole.json()["detail"].startswith("3 of 4 rows would be left out")
    found = [(one["index"], one["row"], one["code"], one["field"]) for one in whole.json()["errors"]]
    assert found == [
        (1, 2, "opted_out", "recipients[1]"),
        (2, 3, "too_short", "recipients[2]"),
        (3, 4, "duplicate", "recipients[3]"),
    ]
    table = partner.post(at, asked | {"csv": TABLE}, Idempotency_Key="2").json()
    assert [(one["index"], one["row"], one["field"]) for one in table["errors"]] == [
        (None, row, "csv") for row in (3, 4, 5)
    ]
    file = SimpleUploadedFile("people.csv", TABLE.encode())
    form = {"text": "Hi", "strict": "true", "file": file}
    headers = {"key": partner.token, "Idempotency-Key": "3"}
    assert Client().post(f"/api/v1/{at}", form, headers=headers).json()["error_count"] == 3
    assert Send.objects.count() == before and not IdempotentAnswer.objects.exists()
    many = asked | {"recipients": [TO, *(["12"] * 6_000)]}  # a large one is surveyed, not checked
    said = partner.post(at, many, Idempotency_Key="4").json()
    assert (said["error_count"], len(said["errors"])) == (6_000, 100)
    assert partner.post(at, asked | {"recipients": [TO]}, Idempotency_Key="1").status_code in (200, 201)
    lax = partner.post(at, asked | {"recipients": ROWS, "strict": False}, Idempotency_Key="5")
    assert lax.status_code in (200, 201) and lax.json()["rejected"] == 3


def test_a_single_row_that_is_not_taken_is_named_by_its_place(things):
    partner, _ = things
    error = partner.post("sends", HI | {"recipients": [REFUSER]}, Idempotency_Key="1").json()["errors"][0]
    assert (error["code"], error["row"], error["index"]) == ("opted_out", 1, 0)


def test_a_field_of_a_form_that_comes_twice_is_refused(things):
    partner, _ = things
    two = [SimpleUploadedFile("a.csv", b"1"), SimpleUploadedFile("b.csv", b"2")]
    form = {"text": ["a", "b"], "file": two}
    said = Client().post("/api/v1/sends", form, headers={"key": partner.token}).json()
    assert {(one["field"], one["code"]) for one in said["errors"]} == {
        ("text", "only_one"),
        ("file", "only_one"),
    }


def test_what_is_wrong_before_a_field_is_looked_at_says_the_way_out(things):
    partner, _ = things
    key = {"key": partner.token}
    text = Client().post("/api/v1/sends", "x", content_type="text/plain", headers=key)
    assert text["Accept"] == "application/json, multipart/form-data"
    assert "takes application/json and multipart/form-data" in text.json()["detail"]
    for method in ("DELETE", "OPTIONS", "PUT"):
        answer = Client().generic(method, "/api/v1/sends", headers=key)
        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, POST")
    basic = Client().get("/api/v1/sends", headers={"Authorization": "Basic eDp5"})
    assert (basic.status_code, "the word Bearer" in basic.json()["detail"]) == (401, True)
    for path in (
        "/api",
        "/api/",
        "/api/v1",
        "/api/v1/",
        "/api/v2/",
        "/api/v1/sends/",
        "/api/problems/nothing",
    ):
        answer = Client().get(path, headers=key | {"Accept": "text/html"})
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json"), path
    foreign = Client().get("/api/v1/sends", headers=key | {"Host": "elsewhere.example"})
    assert (foreign.status_code, foreign["Content-Type"]) == (400, "application/problem+json")


def test_every_code_has_a_page_for_people_and_for_programs():
    for code in {*KINDS, *ERRORS}:
        said = Client().get(f"/api/problems/{code}").json()
        assert said["type"] == f"http://127.0.0.1:8000/api/problems/{code}"
        if code in KINDS:
            assert (said["title"], said["way_out"]) == (KINDS[code].title, KINDS[code].way_out)
        if code in ERRORS:
            assert said["error"] == ProblemCode(code).meaning
        page = Client().get(f"/api/problems/{code}", headers={"Accept": "text/html,*/*;q=0.8"})
        assert page["Content-Type"].startswith("text/html") and page["Vary"].startswith("Accept")
        assert f"<code>{code}</code>" in page.content.decode()
    assert len(Client().get("/api/problems").json()["errors"]) == len(ERRORS)
    assert Client().get("/api/problems", headers={"Accept": "text/html"}).status_code == 200
    written = (ROOT / "docs" / "partners" / "codes.md").read_text(encoding="utf-8")
    for code, kind in KINDS.items():
        assert f"| {kind.status} | `{code}` | {kind.title} | {kind.way_out} |" in written


def test_no_door_of_the_api_ignores_a_parameter_and_no_path_of_a_refusal_is_kept_with_a_number(things):
    partner, _ = things
    wrong = []
    doors = [(method, path) for method, path, _ in operations() if path.startswith("/api/v1/")]
    wheel = "/api/docs/textdesk.postman_collection.json"
    doors += [
        ("GET", path)
        for path in ("/api/schema/", "/api/schema/webex/", "/api/problems", "/api/problems/invalid", wheel)
    ]
    for method, path in doors:
        address = re.sub(r"\{\w+\}", "1", path)
        headers = {"key": partner.token, "Idempotency-Key": "x"}
        given = {} if method in ("GET", "DELETE") else {"data": "{}", "content_type": "application/json"}
        answer = Client().generic(method, f"{address}?foo=1", headers=headers, **given)
        said = answer.json() if "json" in answer["Content-Type"] else {}
        if answer.status_code != 400 or [one["field"] for one in said.get("errors", ())] != ["foo"]:
            wrong.append((method, path, answer.status_code))
    assert len(doors) > 50 and wrong == []
    Client().get(f"/api/v1/messages/{TO}", headers={"key": partner.token})
    assert RefusedRequest.objects.filter(path__startswith="/api/v1/messages/").exists()
    assert not RefusedRequest.objects.filter(path__contains=TO.lstrip("+")).exists()


def test_what_was_read_can_be_sent_back_as_a_change(things):
    partner, made = things
    later = HI | {"send_at": "2098-01-01T00:00:00Z"}
    made["sends"] = partner.post("sends", later, Idempotency_Key="later").json()["id"]
    for path, change, fixed in (
        (f"audiences/{made['audiences']}", {"note": "Two"}, {"created_at": "2026-01-01T00:00:00.000Z"}),
        (f"callback-endpoints/{made['callback-endpoints']}", {"name": "Two"}, {"kind": "notify"}),
        (f"sends/{made['sends']}", {"send_at": "2099-01-01T00:00:00.000Z"}, {"sender": "OTHER"}),
    ):
        read = partner.get(path).json()
        same = partner.call("PATCH", path, read)
        assert (same.status_code, same.json()) == (200, read), path
        changed = partner.call("PATCH", path, read | change).json()
        assert {name: changed[name] for name in change} == change
        refused = partner.call("PATCH", path, partner.get(path).json() | fixed)
        assert refused.status_code == 400 and [one["field"] for one in refused.json()["errors"]] == list(
            fixed
        )


def test_the_older_doors_use_no_parameter_in_silence(things):
    service = ApiKey.objects.get().service
    key = {"key": a_key(service, name="Old")}
    asked = json.dumps(drop_in_body())
    twice = asked[:-1] + ',"channel":"sms"}'
    for path, raw, name in (("/v2/messages?lane=bulk", asked, "lane"), ("/v2/messages", twice, "channel")):
        answer = Client().post(path, raw, content_type="application/json", headers=key)
        assert answer.status_code == 201, answer.content
        assert [one["field"] for one in answer.json()["textdesk"]["notices"]] == [name]
    read = Client().get(f"/v2/messages/{answer.json()['messageId']}?x=1", headers=key).json()
    assert [one["field"] for one in read["textdesk"]["notices"]] == ["x"]
    sms = {"from": "SHOP", "to": TO, "content": "Hi"}
    answer = Client().post("/v1/sms/messages?x=1", sms, content_type="application/json", headers=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "7004") and " x: " in answer.json()["message"]


DOORS = [
    ("GET", "/api/v1/sends", 200),
    ("GET", "/api/v1/sends?x=1", 400),
    ("GET", "/api/v1/nothing", 404),
    ("OPTIONS", "/api/v1/sends", 405),
    ("GET", "/api/", 404),
    ("POST", "/v2/messages", 400),
    ("GET", "/v2/messages/nobody", 404),
    ("GET", "/v2/messages", 405),
    ("POST", "/v1/sms/messages", 400),
    ("POST", "/resources/v1/messaging", 200),
]


def test_each_answer_has_a_name_that_the_log_and_the_page_of_the_key_have_too(things):
    partner, _ = things
    for method, path, status in DOORS:
        with written_log("json") as lines:
            given = {"key": partner.token, "Request-Id": "req_ours", "X-Request-Id": "req_ours"}
            answer = Client().generic(method, path, headers=given)
        name = answer["Request-Id"]
        assert answer.status_code == status and NAME.fullmatch(name), path
        if status < 400 and path.startswith("/api"):
            continue
        kept = RefusedRequest.objects.get(request_id=name)
        assert (kept.method, kept.status, kept.path) == (method, status, path.replace("=1", "=…"))
        if status >= 400:
            logged = [json.loads(line) for line in lines.getvalue().splitlines()]
            (line,) = [one for one in logged if one.get("request_id") == name]
            assert line["key"] == ApiKey.objects.get().prefix and line["code"] == kept.code
    # refused before Django saw it
    status, headers, content = ask("POST", "/api/v1/sends", b"x", length=10**9, key=partner.token)
    assert (status, json.loads(content)["request_id"]) == (413, headers["Request-Id"])
    kept = RefusedRequest.objects.get(request_id=headers["Request-Id"])
    assert (kept.code, kept.status) == ("too_large", 413)
    status, headers, _ = ask("POST", "/v2/messages", b"{", length=9, key=partner.token)
    assert status == 400 and RefusedRequest.objects.get(request_id=headers["Request-Id"]).code == "7000"


def test_a_database_that_is_away_is_a_503_with_a_name(things):
    partner, _ = things
    with refused("FROM sms_apikey"):
        answers = [
            Client().get("/api/v1/sends", headers={"key": partner.token}),
            Client().post(
                "/v1/sms/messages", {}, content_type="application/json", headers={"key": partner.token}
            ),
        ]
    for answer in answers:
        assert answer.status_code == 503 and NAME.fullmatch(answer["Request-Id"])
        assert "Retry-After" in answer and "html" not in answer["Content-Type"]
