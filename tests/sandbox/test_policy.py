"""Contact policy: what stops a message, and the API that keeps groups, members and counts."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.sandbox.running import Answer, Clock, Running, receiver, sandbox

DEMO = "demo-marketing"
BOTH = {"channelCheckConsent": True, "channelApplyFrequencyCap": True}
CONSENT = {"channelCheckConsent": True}
CAP = {"channelApplyFrequencyCap": "true"}
MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
DAY = 86400
GROUP = {
    "name": "spring",
    "description": "Spring sale",
    "groupDefault": "ALLOWLIST",
    "senders": [{"channel": "text", "address": "TEXTDESK"}],
}
SOMEBODY = "+447700900101"


def api(running: Running, method: str, path: str, body: Any = None, token: str = "any") -> Answer:
    return running.call(method, f"/v1/groups{path}", body, {"Authorization": f"Bearer {token}"})


def group(running: Running, **more: Any) -> str:
    answer = api(running, "POST", "", GROUP | more)
    assert answer.status == 201, answer.body
    return answer.body.decode()


def member(running: Running, group_id: str, consent: bool, address: str = SOMEBODY, **more: Any) -> None:
    body = {"channel": "text", "address": address, "consent": consent, "reason": "test"} | more
    assert api(running, "POST", f"/{group_id}/members", body).status == 204


def outcome(running: Running, group_id: str, to: str = SOMEBODY, **flags: Any) -> str:
    answer = running.send(to, contactPolicy={"contactPolicyGroup": group_id} | (flags or BOTH))
    assert answer.status == 201, answer.body
    return running.last()["outcome"]


# -- what stops a message


def test_stopped_message_is_accepted_and_then_fails_with_its_code():
    with receiver() as taken, sandbox() as running:
        running.send(contactPolicy=BOTH | {"contactPolicyGroup": "nowhere"}, notifyUrl=taken.url)
        info = taken.wait(1)[0].json["deliveryInfoNotification"]["deliveryInfo"]
        assert (info["code"], info["deliveryStatus"]) == ("9005", "Failed")


def test_allow_list_wants_consent_that_is_given_and_not_over():
    clock = Clock(MONDAY)
    with sandbox(clock=clock) as running:
        found = group(running)
        assert outcome(running, found) == "not-in-group"
        member(running, found, consent=False)
        assert outcome(running, found) == "not-consented"
        member(running, found, consent=True)
        assert outcome(running, found) == "delivered"
        member(running, found, consent=True, expires="2026-03-02T13:00:00Z")
        assert outcome(running, found) == "delivered"
        clock.at += 3600
        assert outcome(running, found) == "consent-expired"


def test_deny_list_stops_only_who_opted_out():
    clock = Clock(MONDAY)
    with sandbox(clock=clock) as running:
        found = group(running, groupDefault="DENYLIST")
        assert outcome(running, found) == "delivered"
        member(running, found, consent=False, expires="2026-03-02T13:00:00Z")
        assert outcome(running, found) == "not-consented"
        clock.at += 3600
        assert outcome(running, found) == "delivered"


def test_a_flag_that_is_off_is_not_looked_at():
    with sandbox(clock=Clock(MONDAY)) as running:
        found = group(running, maxFrequencies=[{"period": "DAY", "maxCount": 1}])
        assert outcome(running, found, **CAP) == "delivered"
        assert outcome(running, found, **CAP) == "frequency-cap"
        member(running, found, consent=True)
        assert outcome(running, found, **CONSENT) == "delivered"
        assert outcome(running, found) == "frequency-cap"


def test_unknown_group_is_distinguished_by_what_was_asked_of_it():
    with sandbox() as running:
        assert outcome(running, "nowhere", **CONSENT) == "policy-group"
        assert outcome(running, "nowhere", **CAP) == "policy-cap-group"


def test_group_that_is_off_or_has_no_text_sender_stops():
    with sandbox() as running:
        off = group(running, status="DISABLED", groupDefault="DENYLIST")
        mail = group(running, name="mail", senders=[{"channel": "email", "address": "a@b.example"}])
        assert outcome(running, off) == outcome(running, mail) == "policy-group"


@pytest.mark.parametrize(
    ("period", "same", "next_one"),
    [
        ("DAY", 43199, 43200),
        ("WEEK", 7 * DAY - 43201, 7 * DAY - 43200),
        ("MONTH", 30 * DAY - 43201, 30 * DAY - 43200),
    ],
)
def test_cap_counts_by_the_utc_calendar(period: str, same: int, next_one: int):
    # noon of Monday, 2 March: midnight is 43200 s away, and March has 31 days
    clock = Clock(MONDAY)
    with sandbox(clock=clock) as running:
        found = group(running, groupDefault="DENYLIST", maxFrequencies=[{"period": period, "maxCount": 2}])
        assert [outcome(running, found) for _ in range(3)] == ["delivered", "delivered", "frequency-cap"]
        assert outcome(running, found, "+447700900102") == "delivered"
        clock.at = MONDAY + same
        assert outcome(running, found) == "frequency-cap"
        clock.at = MONDAY + next_one
        assert outcome(running, found) == "delivered"


def test_messages_that_a_policy_stops_or_that_fail_before_the_operator_are_not_counted():
    with sandbox(clock=Clock(MONDAY)) as running:
        found = group(running, maxFrequencies=[{"period": "DAY", "maxCount": 1}])
        assert outcome(running, found) == "not-in-group"
        member(running, found, consent=True)
        running.send(SOMEBODY, text="x" * 1025, contactPolicy=BOTH | {"contactPolicyGroup": found})
        assert running.last()["outcome"] == "too-long"
        assert outcome(running, found) == "delivered"
        assert outcome(running, found) == "frequency-cap"


def test_numbers_010_and_011_keep_their_outcome_and_need_no_policy():
    with sandbox() as running:
        for number, expected in (("447700900010", "not-consented"), ("447700900011", "frequency-cap")):
            running.send(number)
            assert running.last()["outcome"] == expected
            assert outcome(running, DEMO, number) == expected


def test_policy_of_a_message_that_waits_is_looked_at_when_it_goes():
    with receiver() as taken, sandbox() as running:
        soon = datetime.fromtimestamp(running.listening.sandbox.tenant.clock() + 1.2, UTC)
        soon = soon.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        policy = CONSENT | {"contactPolicyGroup": DEMO}
        assert running.send(SOMEBODY, contactPolicy=policy, sendAt=soon, notifyUrl=taken.url).status == 201
        assert running.last()["outcome"] == "delivered"
        member(running, DEMO, consent=False)
        assert taken.wait(1)[0].code == "9002"
        assert running.last()["outcome"] == "not-consented"


def test_code_in_the_reply_refuses_the_whole_request():
    with sandbox(switch="policy_codes=reply") as running:
        member(running, DEMO, consent=False)
        policy = BOTH | {"contactPolicyGroup": DEMO}
        answer = running.send(["+447700900102", SOMEBODY], contactPolicy=policy)
        assert (answer.status, answer.code) == (400, "9002")
        assert running.log() == []
        assert running.send(["+447700900102"], contactPolicy=policy).status == 201


@pytest.mark.parametrize(
    "policy",
    [
        "demo-marketing",
        BOTH | {"contactPolicyGroup": 5},
        {"contactPolicyGroup": DEMO},
        {"contactPolicyGroup": DEMO, "channelCheckConsent": False, "channelApplyFrequencyCap": "false"},
        {"contactPolicyGroup": DEMO, "channelCheckConsent": "yes"},
        {},
    ],
)
def test_policy_of_another_form_is_refused(policy: object):
    with sandbox() as running:
        answer = running.send(contactPolicy=policy)
        assert (answer.status, answer.code) == (400, "7004")


@pytest.mark.parametrize("policy", [BOTH, BOTH | {"contactPolicyGroup": ""}])
def test_policy_without_its_group_lacks_what_is_mandatory(policy: object):
    with sandbox() as running:
        answer = running.send(contactPolicy=policy)
        assert (answer.status, answer.code) == (400, "7003")


# -- the API


def test_profile_key_is_wanted_as_bearer():
    with sandbox(profile_key="secret") as running:
        for headers in (
            {},
            {"Authorization": "Bearer other"},
            {"Authorization": "secret"},
            {"key": "secret"},
        ):
            answer = running.call("GET", "/v1/groups", headers=headers)
            assert (answer.status, answer.body) == (401, b"")
        assert api(running, "GET", "", token="secret").status == 200
        assert running.send().status == 201


def test_group_is_made_shown_changed_and_deleted():
    frequencies = [{"period": "DAY", "maxCount": "2", "channel": "text"}, {"period": "WEEK", "maxCount": 5}]
    with sandbox() as running:
        answer = api(running, "POST", "", GROUP | {"maxFrequencies": frequencies, "createdBy": "me"})
        assert (answer.status, answer.headers["content-type"]) == (201, "text/plain")
        found = answer.body.decode()
        assert len(found) == 22
        shown = api(running, "GET", f"/{found}").json
        assert shown | GROUP == shown
        assert (shown["groupId"], shown["status"], shown["createdBy"]) == (found, "ENABLED", "me")
        assert shown["maxFrequencies"] == [frequencies[0] | {"maxCount": 2}, frequencies[1]]
        assert {one["groupId"] for one in api(running, "GET", "").json} == {DEMO, found}
        member(running, found, consent=True)
        assert api(running, "PUT", f"/{found}", GROUP | {"name": "summer"}).status == 204
        assert api(running, "GET", f"/{found}").json["name"] == "summer"
        assert api(running, "GET", f"/{found}/members/count").json == {"count": 1}
        assert api(running, "DELETE", f"/{found}").status == 204
        assert api(running, "GET", f"/{found}").status == 404
        assert outcome(running, found) == "policy-group"


FREQUENCY = {"period": "DAY", "maxCount": 1}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": ""}, 400),
        ({"name": "x" * 129}, 400),
        ({"name": DEMO}, 409),
        ({"description": None}, 400),
        ({"groupDefault": "MAYBE"}, 400),
        ({"status": "ON"}, 400),
        ({"senders": []}, 400),
        ({"senders": [{"channel": "text", "address": "1"}] * 11}, 400),
        ({"senders": [{"channel": "sms", "address": "1"}]}, 400),
        ({"senders": "TEXTDESK"}, 400),
        ({"maxFrequencies": [FREQUENCY | {"period": "YEAR"}]}, 400),
        ({"maxFrequencies": [FREQUENCY | {"maxCount": 0}]}, 400),
        ({"maxFrequencies": [FREQUENCY | {"maxCount": 5001}]}, 400),
        ({"maxFrequencies": [FREQUENCY | {"channel": "sms"}]}, 400),
        ({"maxFrequencies": [FREQUENCY, FREQUENCY]}, 400),
        ({"maxFrequencies": [FREQUENCY, {"period": "WEEK", "maxCount": 1}]}, 400),
        ({"maxFrequencies": [FREQUENCY, {"period": "MONTH", "maxCount": 2}]}, 201),
        ({"maxFrequencies": [FREQUENCY | {"maxCount": 5000}]}, 201),
    ],
)
def test_group_keeps_to_its_rules(change: dict[str, Any], status: int):
    with sandbox() as running:
        assert api(running, "POST", "", GROUP | change).status == status


def test_members_are_listed_page_by_page_filtered_counted_and_removed():
    with sandbox() as running:
        for number in range(120):
            member(running, DEMO, consent=number % 3 > 0, address=f"+4479460{number:05}")
        pages, token = [], ""
        while True:
            answer = api(
                running, "GET", f"/{DEMO}/members" + (f"?continuationToken={token}" if token else "")
            )
            pages.append([one["address"] for one in answer.json["members"]])
            token = answer.headers.get("x-cp-continue-token", "")
            assert answer.json.get("continuationToken", "") == token
            if not token:
                break
        assert [len(one) for one in pages] == [50, 50, 20]
        assert len({address for page in pages for address in page}) == 120
        assert len(api(running, "GET", f"/{DEMO}/members?consent=false&pageSize=1000").json["members"]) == 40
        one = "%2B447946000004"
        shown = api(running, "GET", f"/{DEMO}/members?address={one}").json["members"]
        assert [(each["address"], each["consent"]) for each in shown] == [("+447946000004", True)]
        assert api(running, "GET", f"/{DEMO}/members/count?consent=true").json == {"count": 80}
        assert api(running, "DELETE", f"/{DEMO}/members?channel=text&address={one}").status == 204
        assert api(running, "DELETE", f"/{DEMO}/members?channel=text&address={one}").status == 404
        assert api(running, "GET", f"/{DEMO}/members/count").json == {"count": 119}
        for wrong in ("pageSize=0", "pageSize=1001", "pageSize=x", "continuationToken=x"):
            assert api(running, "GET", f"/{DEMO}/members?{wrong}").status == 400


def test_last_page_that_is_full_is_the_last():
    with sandbox() as running:
        for number in range(4):
            member(running, DEMO, consent=True, address=f"+4479460{number:05}")
        for page in ("pageSize=4", "pageSize=2&continuationToken=2"):
            answer = api(running, "GET", f"/{DEMO}/members?{page}")
            assert len(answer.json["members"]) in (2, 4)
            assert "continuationToken" not in answer.json
            assert "x-cp-continue-token" not in answer.headers


def test_any_bearer_is_good_without_a_profile_key_but_one_is_wanted():
    with sandbox() as running:
        assert api(running, "GET", "", token="whatever").status == 200
        for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer"}):
            assert running.call("GET", "/v1/groups", headers=headers).status == 401


def test_next_page_may_be_asked_for_in_a_header():
    with sandbox() as running:
        for number in range(3):
            member(running, DEMO, consent=True, address=f"+4479460{number:05}")
        headers = {"Authorization": "Bearer any", "X-cp-continue-token": "2"}
        answer = running.call("GET", f"/v1/groups/{DEMO}/members", headers=headers)
        assert [one["address"] for one in answer.json["members"]] == ["+447946000002"]


def test_members_come_as_csv_too():
    with sandbox(clock=Clock(MONDAY)) as running:
        details = {"keyword": "JOIN", "campaign": "spring, early", "source": "web", "messageBody": "JOIN"}
        member(running, DEMO, consent=True, metadata=details, expires="2026-04-01T00:00:00Z")
        answer = api(running, "GET", f"/{DEMO}/members?format=CSV")
        assert answer.headers["content-type"] == "text/csv"
        assert answer.body.decode().splitlines() == [
            "date,address,channel,consent,expires,keyword,campaign,source",
            f'2026-03-02T12:00:00.000Z,{SOMEBODY},text,true,2026-04-01T00:00:00.000Z,JOIN,"spring, early",web',
        ]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"channel": "email", "address": "a@b.example"}, 409),
        ({"channel": "sms"}, 409),
        ({"address": "447700900101"}, 400),
        ({"address": ""}, 400),
        ({"consent": "true"}, 400),
        ({"consent": None}, 400),
        ({"expires": "2026-04-01"}, 400),
        ({"expires": "soon"}, 400),
        ({"metadata": []}, 204),
        ({"metadata": "x"}, 400),
    ],
)
def test_member_keeps_to_its_rules(change: dict[str, Any], status: int):
    with sandbox() as running:
        body = {"channel": "text", "address": SOMEBODY, "consent": True, "reason": "r"} | change
        assert api(running, "POST", f"/{DEMO}/members", body).status == status
        assert api(running, "POST", "/nowhere/members", body).status in (400, 404)


def test_member_of_all_groups_goes_where_there_is_the_channel():
    with sandbox() as running:
        mail = group(running, name="mail", senders=[{"channel": "email", "address": "a@b.example"}])
        spring = group(running)
        body = {"channel": "text", "address": SOMEBODY, "consent": True, "reason": "r"}
        answer = api(running, "POST", "/*/members", body)
        assert answer.status == 200
        assert answer.json == {
            "updated": [DEMO, spring],
            "ignored": [{"groupId": mail, "reason": "INVALID_CHANNEL"}],
        }
        listed = api(running, "GET", "/*/members").json["members"]
        assert [one["groupId"] for one in listed] == [DEMO, spring]


def test_opt_out_reaches_deny_lists_and_allow_lists_of_the_sender():
    with sandbox() as running:
        mine = group(running)
        elsewhere = [{"channel": "text", "address": "OTHER"}]
        other = group(running, name="other", senders=elsewhere)
        deny = group(running, name="deny", senders=elsewhere, groupDefault="DENYLIST")
        for one in (mine, other):
            member(running, one, consent=True)
        body = {"channel": "text", "address": SOMEBODY, "reason": "STOP", "senderAddress": "TEXTDESK"}
        answer = api(running, "POST", "/*/members/optOut", body)
        assert answer.json == {
            "updated": [DEMO, mine, deny],
            "ignored": [{"groupId": other, "reason": "OTHER"}],
        }
        assert [outcome(running, one) for one in (DEMO, mine, other)] == [
            "not-consented",
            "not-consented",
            "delivered",
        ]
        del body["senderAddress"]
        assert api(running, "POST", "/*/members/optOut", body).json["ignored"] == []
        assert outcome(running, other) == "not-consented"


def counted(running: Running, group_id: str, **flags: bool) -> tuple[int, str]:
    one = {"sourceTransId": "t-1", "correlationId": "c", "channel": "text", "address": SOMEBODY} | flags
    answer = api(running, "POST", f"/{group_id}/counters", [one])
    assert answer.json[0]["sourceTransId"] == "t-1"
    return answer.status, answer.json[0]["code"]


def test_counters_say_what_a_send_would_and_count_with_it():
    with sandbox(clock=Clock(MONDAY)) as running:
        found = group(running, maxFrequencies=[{"period": "DAY", "maxCount": 2}])
        assert counted(running, "nowhere", **BOTH) == (400, "20008")
        assert counted(running, found, **BOTH) == (400, "20003")
        member(running, found, consent=False)
        assert counted(running, found, **BOTH) == (400, "20002")
        member(running, found, consent=True, expires="2026-03-02T11:00:00Z")
        assert counted(running, found, **BOTH) == (400, "20012")
        member(running, found, consent=True)
        assert counted(running, found, channelCheckConsent=True) == (200, "20010")
        assert counted(running, found, **BOTH) == (200, "20001")
        assert outcome(running, found) == "delivered"
        assert counted(running, found, **BOTH) == (400, "20007")
        assert counted(running, group(running, name="free", groupDefault="DENYLIST"), **BOTH) == (
            200,
            "20006",
        )
        for body in ([], [{}, {}], {}, "x"):
            assert api(running, "POST", f"/{found}/counters", json.dumps(body)).status == 400


def test_caps_of_a_channel_count_that_channel_alone_and_up_to_their_number():
    senders = [{"channel": "text", "address": "TEXTDESK"}, {"channel": "email", "address": "a@b.example"}]
    caps = [{"period": "DAY", "maxCount": most, "channel": on} for on, most in (("text", 3), ("email", 1))]
    with sandbox(clock=Clock(MONDAY)) as running:
        found = group(running, groupDefault="DENYLIST", senders=senders, maxFrequencies=caps)
        assert [outcome(running, found) for _ in range(4)] == ["delivered"] * 3 + ["frequency-cap"]
        asked = {"address": SOMEBODY, "channel": "email"} | BOTH
        answers = [api(running, "POST", f"/{found}/counters", [asked]) for _ in range(2)]
        assert [one.json[0]["code"] for one in answers] == ["20001", "20007"]


def test_counter_can_be_set():
    with sandbox(clock=Clock(MONDAY)) as running:
        found = group(running, groupDefault="DENYLIST", maxFrequencies=[{"period": "WEEK", "maxCount": 3}])
        body = {"channel": "text", "address": SOMEBODY, "count": 2, "period": "WEEK"}
        assert api(running, "PUT", f"/{found}/counters", body).status == 204
        assert [outcome(running, found) for _ in range(2)] == ["delivered", "frequency-cap"]
        assert api(running, "PUT", f"/{found}/counters", body | {"channel": "email"}).status == 409
        assert api(running, "PUT", f"/{found}/counters", body | {"period": "YEAR"}).status == 400
        assert api(running, "PUT", "/nowhere/counters", body).status == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PATCH", "", 405),
        ("DELETE", "", 405),
        ("POST", f"/{DEMO}", 405),
        ("GET", f"/{DEMO}/counters", 405),
        ("POST", f"/{DEMO}/members/optOut", 405),
        ("GET", f"/{DEMO}/nothing", 404),
        ("GET", "/nowhere/members", 404),
    ],
)
def test_other_addresses_and_verbs_are_refused(method: str, path: str, status: int):
    with sandbox() as running:
        assert api(running, method, path, {} if method != "GET" else None).status == status


@pytest.mark.parametrize("body", ["", "{", "[]", "null"])
def test_body_that_is_no_object_is_refused(body: str):
    with sandbox() as running:
        assert api(running, "POST", "", body).status == 400
