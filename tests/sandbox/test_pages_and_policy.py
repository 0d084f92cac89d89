"""The sandbox's other doors, each answer as a whole: the Contact Policy API, live settings, replies, incoming SMS, who may ask."""

import dataclasses
import json
import random
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from sms.webex.sandbox import consent, inbound, live_settings, replies
from sms.webex.sandbox.consent import Consents
from sms.webex.sandbox.control import from_here
from sms.webex.sandbox.destinations import SandboxDestination
from sms.webex.sandbox.http_server import Request
from sms.webex.sandbox.message_log import SandboxMessage
from sms.webex.sandbox.policy_api import PolicyApi
from sms.webex.sandbox.settings import Faults, Settings, Tenant
from sms.webex.sandbox.switches import Switches

NOW = datetime(2027, 3, 2, 9, tzinfo=UTC).timestamp()
AT = "2027-03-02T09:00:00.000Z"
GROUP = {
    "name": "spring",
    "description": "Spring sale",
    "groupDefault": "ALLOWLIST",
    "senders": [{"channel": "text", "address": "SHOP"}],
}
ADA = "+447700900101"


class Api:
    """One API with a clock of its own."""

    def __init__(self, **settings) -> None:
        self.consents, self.at = Consents(), NOW
        self.consents.groups.clear()
        self.api = PolicyApi(Tenant(Settings(**settings), lambda: self.at, random.Random(1)), self.consents)

    def ask(self, method: str, path: str = "", body: object = None, *, query: str = "", **headers: str):
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"authorization": "Bearer any"} | headers
        found = {name.replace("_", "-").encode(): value.encode() for name, value in given.items() if value}
        return self.api.handle(Request("127.0.0.1", method, f"/v1/groups{path}", query, found, raw))

    def group(self, **more) -> str:
        answer = self.ask("POST", "", GROUP | more)
        assert answer.status == 201, answer.body
        return answer.body.decode()

    def said(self, *given, **more) -> tuple[int, object]:
        answer = self.ask(*given, **more)
        return answer.status, json.loads(answer.body) if answer.body else None


@pytest.fixture
def api() -> Api:
    return Api()


def member(address: str = ADA, *, agreed: bool = True, **more) -> dict:
    return {"channel": "text", "address": address, "consent": agreed} | more


@pytest.mark.parametrize(
    ("key", "sent", "status"),
    [("", "Bearer x", 200), ("", "bearer  x ", 200), ("", "", 401), ("", "Bearer ", 401), ("", "Basic x", 401),
     ("k", "Bearer k", 200), ("k", "Bearer other", 401)],
)  # fmt: skip
def test_who_may_ask_the_policy_api(key, sent, status):
    assert Api(profile_key=key).ask("GET", authorization=sent).status == status


def test_a_group_from_its_making_to_its_end(api):
    made = api.ask(
        "POST", "", GROUP | {"createdBy": "ada", "maxFrequencies": [{"period": "DAY", "maxCount": "2"}]}
    )
    assert (made.status, made.content_type) == (201, b"text/plain")
    name = made.body.decode()
    shown = {
        "groupId": name, "name": "spring", "description": "Spring sale", "groupDefault": "ALLOWLIST", "status": "ENABLED",
        "senders": [{"channel": "text", "address": "SHOP"}], "maxFrequencies": [{"period": "DAY", "maxCount": 2}],
        "createdBy": "ada",
    }  # fmt: skip
    assert api.said("GET", f"/{name}") == (200, shown)
    assert api.said("GET") == (200, [shown])
    assert api.said("POST", "", GROUP) == (409, {"message": "There is a group of this name."})
    api.ask("POST", f"/{name}/members", member())
    assert api.said("PUT", f"/{name}", GROUP | {"name": "summer", "status": "DISABLED"}) == (204, None)
    assert api.said("GET", f"/{name}")[1] | {"x": 1} == shown | {
        "name": "summer", "status": "DISABLED", "maxFrequencies": [], "createdBy": "", "x": 1,
    }  # fmt: skip
    assert api.said("GET", f"/{name}/members/count") == (200, {"count": 1}), "its members stay"
    assert api.said("PUT", f"/{name}", GROUP | {"name": "summer"})[0] == 204, "its own name is free for it"
    assert api.said("DELETE", f"/{name}") == (204, None)
    assert api.said("DELETE", f"/{name}") == (404, None)
    assert api.said("GET", f"/{name}") == (404, None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "name has 1 to 128 characters."),
        ({"name": "x" * 129}, "name has 1 to 128 characters."),
        ({"name": 1}, "name is a text."),
        ({"description": ""}, "description is missing."),
        ({"groupDefault": "x"}, "groupDefault is ALLOWLIST or DENYLIST."),
        ({"status": "x"}, "status is ENABLED or DISABLED."),
        ({"senders": []}, "senders has 1 to 10 entries."),
        ({"senders": [{"channel": "text"}] * 11}, "senders has 1 to 10 entries."),
        ({"senders": ["x"]}, "senders is a list of objects."),
        ({"senders": [{"channel": "fax"}]}, "A sender has a channel: email, text, voice or whatsapp."),
        ({"maxFrequencies": [{"period": "YEAR", "maxCount": 1}]},
         "A frequency has a period, DAY, WEEK or MONTH, and perhaps a channel."),
        ({"maxFrequencies": [{"period": "DAY", "maxCount": 0}]}, "maxCount is 1 to 5000."),
        ({"maxFrequencies": [{"period": "DAY", "maxCount": 5001}]}, "maxCount is 1 to 5000."),
        ({"maxFrequencies": [{"period": "DAY", "maxCount": 5}, {"period": "WEEK", "maxCount": 5}]},
         "Each period once, and a day less than a week less than a month."),
        ({"maxFrequencies": [{"period": "DAY", "maxCount": 5}, {"period": "DAY", "maxCount": 6}]},
         "Each period once, and a day less than a week less than a month."),
    ],
)  # fmt: skip
def test_a_group_that_cannot_be(api, changes, message):
    assert api.said("POST", "", GROUP | changes) == (400, {"message": message})


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "x" * 128},
        {"senders": [{"channel": "text"}] * 10},
        {"maxFrequencies": [{"period": "DAY", "maxCount": 1}, {"period": "WEEK", "maxCount": 2}, {"period": "MONTH", "maxCount": 5000}]},
        {"maxFrequencies": [{"period": "DAY", "maxCount": 5}, {"period": "DAY", "maxCount": 5, "channel": "text"}]},
    ],
)  # fmt: skip
def test_a_group_that_can_be(api, changes):
    assert api.group(**changes)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "The body is no JSON."),
        ([], "The body is no object."),
        (member() | {"consent": "yes"}, "consent is true or false."),
        (member("447700900101"), "address is a number with + and country code."),
        (member() | {"metadata": "x"}, "metadata is an object."),
        (member(expires="tomorrow"), "expires is a time with its zone."),
        (member(expires="2027-03-02T09:00:00"), "expires is a time with its zone."),
    ],
)
def test_a_member_that_cannot_be(api, body, message):
    assert api.said("POST", f"/{api.group()}/members", body) == (400, {"message": message})


def test_members_are_listed_filtered_paged_and_given_as_csv(api):
    name = api.group()
    for at in range(5):
        body = member(
            f"+44770090010{at}", agreed=at % 2 == 0, reason="r", metadata={"keyword": at, "campaign": "c"}
        )
        assert (
            api.ask(
                "POST", f"/{name}/members", body | ({"expires": "2027-03-03T09:00:00Z"} if at == 0 else {})
            ).status
            == 204
        )
    first = {
        "groupId": name, "channel": "text", "address": "+447700900100", "consent": True, "reason": "r",
        "expires": "2027-03-03T09:00:00.000Z", "lastUpdated": AT, "metadata": {"keyword": "0", "campaign": "c"},
    }  # fmt: skip
    status, page = api.said("GET", f"/{name}/members", query="pageSize=2")
    assert (status, page["members"][0], len(page["members"]), page["continuationToken"]) == (
        200,
        first,
        2,
        "2",
    )
    answer = api.ask("GET", f"/{name}/members", query="pageSize=2")
    assert answer.headers == b"X-cp-continue-token: 2\r\n"
    _, page = api.said("GET", f"/{name}/members", query="pageSize=2&continuationToken=2")
    assert ([one["address"][-1] for one in page["members"]], page["continuationToken"]) == (["2", "3"], "4")
    _, page = api.said("GET", f"/{name}/members", query="pageSize=2", x_cp_continue_token="4")
    assert [one["address"][-1] for one in page["members"]] == ["4"] and "continuationToken" not in page
    assert len(api.said("GET", "/*/members", query="pageSize=5")[1]["members"]) == 5
    for query, count in (
        ("consent=true", 3),
        ("consent=FALSE", 2),
        ("channel=voice", 0),
        ("address=%2B447700900101", 1),
    ):
        assert api.said("GET", f"/{name}/members/count", query=query) == (200, {"count": count})
    for query in ("pageSize=0", "pageSize=1001", "pageSize=x", "continuationToken=x"):
        assert api.said("GET", f"/{name}/members", query=query)[0] == 400
    assert api.said("GET", f"/{name}/members", query="pageSize=1000")[0] == 200
    csv = api.ask("GET", f"/{name}/members", query="format=csv&pageSize=1")
    assert (csv.status, csv.content_type) == (200, b"text/csv")
    assert csv.body.decode().splitlines() == [
        "date,address,channel,consent,expires,keyword,campaign,source",
        f"{AT},+447700900100,text,true,2027-03-03T09:00:00.000Z,0,c,",
    ]
    assert api.said("DELETE", f"/{name}/members", {"channel": "text", "address": "+447700900100"}) == (
        204,
        None,
    )
    assert api.said("DELETE", f"/{name}/members", query="channel=text&address=%2B447700900101") == (204, None)
    assert api.said("DELETE", f"/{name}/members", {"channel": "text", "address": "+447700900100"}) == (
        404,
        None,
    )
    assert api.said("GET", f"/{name}/members/count") == (200, {"count": 3})


def test_a_member_of_every_group_and_an_opt_out(api):
    allow, deny = api.group(), api.group(name="b", groupDefault="DENYLIST")
    voice = api.group(name="c", senders=[{"channel": "voice", "address": "x"}])
    other = api.group(name="d", senders=[{"channel": "text", "address": "OTHER"}])
    wrong = {"groupId": voice, "reason": "INVALID_CHANNEL"}
    assert api.said("POST", "/*/members", member()) == (
        200,
        {"updated": [allow, deny, other], "ignored": [wrong]},
    )
    assert api.said("POST", f"/{voice}/members", member()) == (
        409, {"message": "The group has no sender on the channel text."},
    )  # fmt: skip
    body = {"channel": "text", "address": ADA, "senderAddress": "SHOP"}
    assert api.said("POST", "/*/members/optOut", body) == (
        200, {"updated": [allow, deny], "ignored": [wrong, {"groupId": other, "reason": "OTHER"}]},
    )  # fmt: skip
    del body["senderAddress"]
    assert api.said("POST", "/*/members/optOut", body)[1]["updated"] == [allow, deny, other]
    assert {
        group.members["text", ADA].consent for group in api.consents.groups.values() if group.members
    } == {False}


def counted(api: Api, name: str, address: str = ADA, **flags) -> tuple[int, str]:
    status, body = api.said("POST", f"/{name}/counters", [{"channel": "text", "address": address} | flags])
    return status, body[0]["code"]


def test_counters_say_whether_and_count(api):
    name = api.group(maxFrequencies=[{"period": "DAY", "maxCount": 2}])
    cap, agreed = {"channelApplyFrequencyCap": True}, {"channelCheckConsent": True}
    assert counted(api, name, **agreed) == (400, "20003")
    api.ask("POST", f"/{name}/members", member(agreed=False))
    assert counted(api, name, **agreed) == (400, "20002")
    api.ask("POST", f"/{name}/members", member(expires="2027-03-02T09:00:00Z"))
    assert counted(api, name, **agreed) == (400, "20012")
    api.ask("POST", f"/{name}/members", member())
    assert counted(api, name, **agreed) == (200, "20010")
    assert [counted(api, name, **cap) for _ in range(3)] == [(200, "20001"), (200, "20001"), (400, "20007")]
    assert counted(api, name, channelApplyFrequencyCap="true") == (200, "20010"), "only true is true"
    assert counted(api, "none", **cap) == counted(api, "none", **agreed) == (400, "20008")
    assert counted(api, api.group(name="b"), **cap) == (200, "20006")
    api.ask("PUT", f"/{name}", GROUP | {"status": "DISABLED"})
    assert counted(api, name) == (400, "20005")
    known = {"channel": "text", "address": ADA, "sourceTransId": "t", "correlationId": "c", "other": 1}
    assert api.said("POST", "/none/counters", [known])[1] == [
        {"sourceTransId": "t", "correlationId": "c", "code": "20008"}
    ]
    for body in ([], [{}, {}], {}, ["x"]):
        assert api.said("POST", f"/{name}/counters", body) == (
            400,
            {"message": "The body is an array of exactly one object."},
        )


def test_a_counter_is_set_for_its_period(api):
    name = api.group(
        maxFrequencies=[
            {"period": "DAY", "maxCount": 2},
            {"period": "WEEK", "maxCount": 9, "channel": "text"},
        ]
    )
    body = {"channel": "text", "address": ADA, "period": "DAY", "count": 1}
    assert api.said("PUT", f"/{name}/counters", body) == (204, None)
    assert [counted(api, name, channelApplyFrequencyCap=True)[1] for _ in range(2)] == ["20001", "20007"]
    api.at += 86_400
    assert counted(api, name, channelApplyFrequencyCap=True)[1] == "20001"
    assert api.said("PUT", f"/{name}/counters", body | {"period": "WEEK", "count": 9})[0] == 204
    assert counted(api, name, channelApplyFrequencyCap=True)[1] == "20007"
    for wrong in ({"period": "YEAR"}, {"count": -1}, {"count": True}, {"count": "1"}):
        assert api.said("PUT", f"/{name}/counters", body | wrong)[0] == 400
    assert api.said("PUT", f"/{name}/counters", body | {"channel": "voice"})[0] == 409


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PATCH", "", 405), ("POST", "/g", 405), ("PUT", "/g/members", 405), ("POST", "/g/members/count", 405),
        ("DELETE", "/g/counters", 405), ("GET", "/g/other", 404), ("GET", "/g/members/other", 404), ("GET", "/*", 405),
        ("DELETE", "/*/members", 405), ("POST", "/*/counters", 405),
    ],
)  # fmt: skip
def test_an_address_or_a_method_that_there_is_not(api, method, path, status):
    answer = api.ask(method, path, {})
    assert answer.status == status
    if status == 405:
        assert json.loads(answer.body) == {"message": f"{method} is not for this address."}


def test_another_path_is_not_of_this_api(api):
    for path in ("/v1/group", "/v1/groupsx", "/v2/messages"):
        assert api.api.handle(Request("127.0.0.1", "GET", path)) is None
    assert consent.CHANNELS == ("email", "text", "voice", "whatsapp")


# --- live settings ------------------------------------------------------------------------------------------------------
def test_live_settings_as_they_stand_and_changed():
    settings = Settings(tps=5.0, faults=Faults(slow=0.5, timeout=0.1), outcomes={"447700900123": "scanned"})
    shown = live_settings.as_json(settings)
    assert (shown["tps"], shown["outcomes"]) == (5.0, {"447700900123": "scanned"})
    assert (shown["faults"]["slow"], shown["faults"]["timeout"], shown["faults"]["throttle"]) == (
        500,
        0.1,
        "",
    )
    assert shown["switches"]["burst"] == "off"
    after = live_settings.changed(
        settings,
        {
            "faults": {"slow": 100, "timeout": "", "throttle": "429"}, "switches": {"burst": "on"}, "tps": 0,
            "outcomes": {"+447700900123": None, "447700900124": "7206"},
        },
    )  # fmt: skip
    assert (after.tps, after.outcomes, after.switches.burst) == (0.0, {"447700900124": "7206"}, "on")
    assert (after.faults.slow, after.faults.timeout, after.faults.throttle) == (0.1, 0.0, "429")
    assert live_settings.changed(settings, {}) == settings
    assert live_settings.changed(settings, {"tps": 1_000_000}).tps == 1_000_000


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "The body is a JSON object"),
        ({"odd": 1}, "There is no setting 'odd'"),
        ({"tps": True}, "tps is a number"),
        ({"tps": -1}, "tps is a number"),
        ({"tps": 1_000_001}, "tps is a number"),
        ({"tps": "5"}, "tps is a number"),
        ({"faults": []}, "faults is a JSON object"),
        ({"faults": {"slow": True}}, "slow is text or a number"),
        ({"switches": {"burst": "maybe"}}, "burst is one of"),
        ({"outcomes": {"12": "scanned"}}, "'12' is no number"),
        ({"outcomes": {"447700900123": 7206}}, "is a name, a code as text, or null"),
        ({"outcomes": {"447700900123": "odd"}}, "There is no outcome 'odd'"),
        ({"outcomes": {f"4477{at:08d}": "scanned" for at in range(10_001)}}, "At most 10000 numbers"),
    ],
)
def test_live_settings_that_cannot_be(given, words):
    with pytest.raises(ValueError, match=words):
        live_settings.changed(Settings(), given)


# --- replies and incoming SMS -------------------------------------------------------------------------------------------
def accepted(count: int) -> list[SandboxMessage]:
    order = SimpleNamespace(
        sender="SHOP", receipts=frozenset({"SENT", "DELIVERED"}), unicode=False, callback="cb", notify_url=""
    )
    return [
        SandboxMessage(NOW, f"id-{at}", order, f"+44770090010{at}", True, f"c-{at}", "Hi you", segments=2)
        for at in range(count)
    ]


def entry(at: int, written: str = AT) -> dict:
    return {
        "requestTimestamp": written,
        "messageId": f"id-{at}",
        "correlationId": f"c-{at}",
        "status": "queued",
    }


@pytest.mark.parametrize(
    ("count", "switches", "body"),
    [
        (1, {}, entry(0)),
        (1, {"reply_to_many": "list"}, entry(0)),
        (1, {"reply_time": "offset"}, entry(0, "2027-03-02T05:00:00.000-04:00")),
        (2, {}, entry(0)),
        (2, {"reply_to_many": "list"}, [entry(0), entry(1)]),
        (
            2,
            {"reply_to_many": "object_with_list"},
            {"requestTimestamp": AT, "messages": [entry(0), entry(1)]},
        ),
    ],
)
def test_the_reply_to_an_accepted_request(count, switches, body):
    raw = replies.body(accepted(count), NOW, dataclasses.replace(Switches(), **switches))
    assert json.loads(raw) == body


@pytest.mark.parametrize("choice", ["suffix", "same", "own"])
def test_the_ids_of_many(choice):
    def ids(count: int) -> list[str]:
        several = [SandboxDestination("+447700900101", "447700900101", "", "Hello", "")] * count
        return [
            one.message_id
            for one in replies.replies_to(several, dataclasses.replace(Switches(), ids_of_many=choice))
        ]

    found = ids(3)
    assert len(found) == 3 and len(set(found)) == (1 if choice == "same" else 3)
    if choice == "suffix":
        assert found[1:] == [f"{found[0]}_1", f"{found[0]}_2"]
    assert len(ids(1)) == 1


SMS = {"from": " +447700900101 ", "to": " 60123 ", "text": "x" * 161, "tid": "t-1"}


@pytest.mark.parametrize(
    ("switches", "changes"),
    [
        ({}, {}),
        ({"inbound_user": "userld"}, {"userId": None, "userld": "8765"}),
        ({"inbound_channel": "channel"}, {"Channel": None, "channel": "SMS"}),
        ({"inbound_to": "list"}, {"da": ["60123"]}),
        ({"inbound_number": "plus"}, {"oa": "+447700900101"}),
        ({"inbound_count": "number"}, {"messageCount": 2}),
        ({"inbound_count": "none"}, {"messageCount": None}),
        ({"inbound_carrier": "number"}, {"x_networkid": 9}),
        ({"inbound_carrier": "none"}, {"x_networkid": None}),
        ({"inbound_id": "transid"}, {"tid": None, "transid": "t-1"}),
    ],
)
def test_an_incoming_sms_as_it_is_posted(switches, changes):
    plain = {
        "userId": "8765", "Channel": "SMS", "da": "60123", "message_source": "SMS", "oa": "447700900101", "message": "x" * 161,
        "messageCount": "2", "tid": "t-1", "datetime": AT, "ts": AT, "x_networkid": "GBVOD",
    }  # fmt: skip
    made = inbound.receipt(
        inbound.checked(SMS), "https://a.test", dataclasses.replace(Switches(), **switches), NOW
    )
    assert json.loads(made.body) == {
        name: value for name, value in (plain | changes).items() if value is not None
    }
    assert (made.url, made.msisdn, made.message_id, made.code, made.status) == (
        "https://a.test", "+447700900101", "t-1", "", "Incoming",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "The body is a JSON object"),
        (SMS | {"odd": "x"}, "There is no field 'odd'"),
        (SMS | {"tid": 1}, "tid is text"),
        (SMS | {"from": " "}, "from is missing"),
        ({"from": "x", "text": ""}, "to is missing"),
        ({"from": "x", "to": "y"}, "text is missing; it may be empty"),
    ],
)
def test_an_incoming_sms_that_cannot_be(given, words):
    with pytest.raises(ValueError, match=words):
        inbound.checked(given)


@pytest.mark.parametrize(
    ("peer", "headers", "here"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("192.0.2.1", {}, False),
        ("nonsense", {}, False),
        ("127.0.0.1", {"host": "localhost:8001"}, True),
        ("127.0.0.1", {"host": "evil.test"}, False),
        ("127.0.0.1", {"host": "127.0.0.1:8001", "origin": "http://127.0.0.1:8001"}, True),
        ("127.0.0.1", {"host": "127.0.0.1:8001", "origin": "http://evil.test"}, False),
        ("127.0.0.1", {"origin": "null"}, False),
    ],
)
def test_only_this_machine_may_ask(peer, headers, here):
    given = {name.encode(): value.encode() for name, value in headers.items()}
    assert from_here(Request(peer, headers=given)) == here
