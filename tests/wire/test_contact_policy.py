"""The contact-policy API as we read it: what is asked, and what each status, code and body means."""

import json

import pytest

from sms.webex.client import ApiReply
from sms.webex.errors import ProviderError, RequestRefused, ServicePaused, UnreadableBody
from sms.webex.policy import ProviderGroup, TenantPolicy

GROUPS = [
    {"groupId": "g-1", "name": "News", "groupDefault": "true", "status": "ENABLED", "more": 1},
    {"groupId": "g-2"},
]


def answering(status: int, body: object) -> tuple[TenantPolicy, list]:
    asked: list = []
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()

    def exchange(method: str, path: str, sent: bytes) -> ApiReply:
        asked.append((method, path, sent))
        return ApiReply(status, raw)

    return TenantPolicy(exchange), asked


def test_groups_are_listed_with_what_is_known_of_them():
    policy, asked = answering(200, GROUPS)
    assert policy.groups() == [
        ProviderGroup("g-1", name="News", group_default="true", status="ENABLED"),
        ProviderGroup("g-2"),
    ]
    assert asked == [("GET", "/v1/groups", b"")]
    many, _ = answering(200, [{"groupId": str(at)} for at in range(1001)])
    assert len(many.groups()) == 1000


def test_consent_is_asked_in_the_body_with_the_cap_left_out():
    policy, asked = answering(200, [{"code": "20001"}])
    assert policy.consent("a/b", "+447710000000") == "agreed"
    ((method, path, sent),) = asked
    assert (method, path) == ("POST", "/v1/groups/a%2Fb/counters")
    assert json.loads(sent) == [
        {"channel": "text", "address": "+447710000000", "channelCheckConsent": True, "channelApplyFrequencyCap": False}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("20001", "agreed"),
        ("20006", "agreed"),
        ("20010", "agreed"),
        ("20002", "not_agreed"),
        ("20003", "not_in_group"),
        ("20004", "unreachable"),
        ("20005", "bad_group"),
        ("20008", "bad_group"),
        ("20012", "expired"),
    ],
)
def test_each_code_is_an_answer(code, answer):
    assert answering(200, [{"code": code}])[0].consent("g", "+1") == answer


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([{"code": "1"}], "has no code that is known"),
        ([{"code": "20001"}, {"code": "20001"}], "has no code that is known"),
        ([], "has no code that is known"),
        ([{}], "has no code that is known"),
        (b"nonsense", "about consent cannot be read"),
        ({"code": "20001"}, "about consent cannot be read"),
    ],
)
def test_an_answer_about_consent_that_says_nothing(body, words):
    with pytest.raises(UnreadableBody, match=words):
        answering(200, body)[0].consent("g", "+1")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (299, RequestRefused),
        (300, ProviderError),
        (399, ProviderError),
        (400, RequestRefused),
        (401, ServicePaused),
        (402, RequestRefused),
        (403, ServicePaused),
        (404, RequestRefused),
        (499, RequestRefused),
        (500, ProviderError),
        (501, ProviderError),
        (201, RequestRefused),
    ],
)
def test_any_other_status_is_the_trouble_that_it_means(status, kind):
    with pytest.raises(ProviderError) as caught:
        answering(status, GROUPS)[0].groups()
    assert type(caught.value) is kind
    assert caught.value.status == status
    assert caught.value.code == {RequestRefused: "contact_policy", ServicePaused: "unauthorised"}.get(
        kind, "trouble"
    )


def test_a_group_that_is_not_there_is_a_bad_group_and_a_list_that_is_none_is_unreadable():
    assert answering(404, b"")[0].consent("g", "+1") == "bad_group"
    with pytest.raises(UnreadableBody, match="The list of groups cannot be read: ValidationError"):
        answering(200, {"groups": []})[0].groups()
    with pytest.raises(UnreadableBody, match="DecodeError"):
        answering(200, b"<html>")[0].groups()
    with pytest.raises(ProviderError) as caught:
        answering(503, b"")[0].consent("g", "+1")
    assert type(caught.value) is ProviderError
