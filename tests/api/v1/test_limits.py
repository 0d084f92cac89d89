"""The last value that a send may have, and the first that it may not: through a plan, which refuses what making it would."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sms.models import ContactPolicyGroup
from tests.support.partners import a_partner, a_partner_service

pytestmark = pytest.mark.django_db
TO = ["+447700900101"]
LIMIT = 40  # characters of this service


def planned(**asked):
    """The answer to its plan."""
    _, partner = a_partner(service=a_partner_service(text_limit=LIMIT))
    now = timezone.now()
    for name, value in asked.items():
        asked[name] = (now + value).isoformat() if isinstance(value, timedelta) else value
    return partner.post("sends/plan", {"text": "Hello", "recipients": TO} | asked)


ALLOWED = [
    {"text": "x" * LIMIT},
    {"text": "$(name)", "recipients": [{"number": TO[0], "values": {"name": "x" * LIMIT}}]},
    {"callback_data": "x" * 2000},
    {"labels": [f"l{n}" for n in range(10)]},
    {"labels": ["x" * 30]},
    {"tag1": "x" * 50, "link_domain": "uk.wbxc.io"},
    {"validity": 1},
    {"validity": 72 * 3600},
    {"send_at": timedelta(seconds=-60)},
    {"send_at": timedelta(minutes=10), "expires_at": timedelta(minutes=11)},
    {"receipts": ["FAILED"]},
    {"resend": "always", "expires_at": timedelta(hours=1)},
    {"resend": "evidence", "receipts": ["DELIVERED", "FAILED"]},
]
REFUSED = [
    ({"text": "x" * (LIMIT + 1)}, "text"),
    ({"callback_data": "x" * 2001}, "callback_data"),
    ({"labels": [f"l{n}" for n in range(11)]}, "labels"),
    ({"labels": ["x" * 31]}, "labels"),
    ({"tag1": "x" * 51}, "tag1"),
    ({"validity": 0}, "validity"),
    ({"validity": 72 * 3600 + 1}, "validity"),
    ({"validity": 60, "expires_at": timedelta(hours=1)}, "validity"),
    ({"send_at": timedelta(minutes=-3)}, "send_at"),
    ({"send_at": timedelta(minutes=10), "expires_at": timedelta(minutes=9)}, "expires_at"),
    ({"expires_at": timedelta(seconds=-1)}, "expires_at"),
    ({"resend": "always"}, "expires_at"),
    ({"resend": "evidence", "receipts": ["DELIVERED"]}, "receipts"),
    ({"ramp": True, "receipts": ["FAILED"]}, "receipts"),
]


@pytest.mark.parametrize("asked", ALLOWED, ids=str)
def test_the_last_value_that_is_allowed_is_planned(asked):
    answer = planned(**asked)
    assert answer.status_code == 200, answer.content
    assert answer.json()["recipient_count"] == 1


@pytest.mark.parametrize(("asked", "field"), REFUSED, ids=str)
def test_the_first_value_that_is_not_is_refused_at_its_field(asked, field):
    answer = planned(**asked)
    assert answer.status_code in (400, 422), answer.content
    assert answer.json()["errors"][0]["field"].startswith(field)


def test_a_value_that_makes_one_text_too_long_is_a_rejected_row():
    answer = planned(
        text="$(name)",
        recipients=[
            {"number": "+447700900101", "values": {"name": "x" * LIMIT}},
            {"number": "+447700900102", "values": {"name": "x" * (LIMIT + 1)}},
            {"number": "+447700900103", "values": {"name": "x" * (LIMIT + 5)}},
        ],
    )
    plan = answer.json()
    assert (plan["recipient_count"], plan["rejected"]) == (1, 2)
    (removed,) = plan["rejects"]
    assert (removed["code"], removed["rows"], removed["count"]) == ("text_too_long", [2, 3], 2)
    assert removed["detail"] == "2 rows make a text that is too long."


@pytest.mark.parametrize(
    ("checks", "allowed"),
    [((True, True), True), ((True, False), True), ((False, True), True), ((False, False), False)],
)
def test_a_policy_group_checks_consent_or_the_cap_or_both(checks, allowed):
    service = a_partner_service()
    ContactPolicyGroup.objects.update(check_consent=True, apply_frequency_cap=True)
    _, partner = a_partner(service=service)
    consent, cap = checks
    body = {"text": "Hi", "recipients": TO, "policy_group": "marketing"}
    answer = partner.post("sends/plan", body | {"check_consent": consent, "apply_frequency_cap": cap})
    if not allowed:
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "check_consent")
        return
    policy = answer.json()["policy"]
    assert (policy["check_consent"], policy["apply_frequency_cap"]) == checks
    says = [words for words, wanted in (("consent", consent), ("the frequency cap", cap)) if wanted]
    assert f"checks {' and '.join(says)} at each message" in policy["detail"]


def test_the_figures_of_a_plan_are_of_all_its_texts():
    """Three texts of one, two and three segments; of an even number the longer one of the middle is typical."""
    _, partner = a_partner()
    texts = ["x" * 10, "x" * 161, "x" * 307, "ж" * 10]
    rows = [
        {"number": f"+4477009001{place:02}", "values": {"t": text}}
        for place, text in enumerate(texts, start=1)
    ]
    plan = partner.post("sends/plan", {"text": "$(t)", "recipients": rows}).json()
    assert plan["segments"] == {"worst": 3, "typical": 2, "total": 7}
    assert plan["encodings"] == {"gsm7": 3, "ucs2": 1, "unknown": 0}
    assert [(one["country"], one["recipient_count"], one["least"]) for one in plan["countries"]] == [
        ("GB", 4, 7)
    ]
