"""The sandbox's tokens, rates and quotas, called directly: each limit just below, at and just above it."""

import base64
import dataclasses
import hashlib
import hmac
import json
import math
import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import SimpleNamespace

import pytest

from sms.webex.sandbox.admission import Admission, token_is_good
from sms.webex.sandbox.rate import Rate
from sms.webex.sandbox.settings import Faults, Settings, Tenant
from sms.webex.sandbox.switches import Switches

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC).timestamp()
SECRET = base64.b64encode(b"0123456789abcdef").decode()


def switched(**changes: str) -> Switches:
    return dataclasses.replace(Switches(), **changes)


# --- who may call -------------------------------------------------------------------------------------------------------
def token(claims: dict[str, object], alg: str = "HS256") -> bytes:
    def part(value: bytes) -> bytes:
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    body = part(json.dumps({"alg": alg}).encode()) + b"." + part(json.dumps(claims).encode())
    return body + b"." + part(hmac.new(base64.b64decode(SECRET), body, hashlib.sha256).digest())


@pytest.mark.parametrize(
    ("claims", "future", "life", "good"),
    [
        ({"iat": 0}, "minute", "hour", True),
        ({"iat": 60}, "minute", "hour", True),
        ({"iat": 61}, "minute", "hour", False),
        ({"iat": 0}, "none", "hour", True),
        ({"iat": 1}, "none", "hour", False),
        ({"iat": 10**6}, "any", "hour", True),
        ({"iat": -3600}, "minute", "hour", True),
        ({"iat": -3601}, "minute", "hour", False),
        ({"iat": -3600, "exp": 0}, "minute", "hour", True),
        ({"iat": -3601, "exp": 0}, "minute", "hour", False),
        ({"iat": -3601, "exp": 0}, "minute", "exp", True),
        ({"iat": -3601}, "minute", "exp", False),
        ({"iat": -10, "exp": -1}, "minute", "exp", False),
        ({"iat": 0, "exp": 0}, "minute", "exp", False),
        ({"iat": 1, "exp": 2}, "minute", "exp", True),
    ],
)
def test_a_token_is_good_from_when_it_was_issued_until_it_ends(claims, future, life, good):
    moments = {name: int(NOW) + value for name, value in claims.items()} | {"iss": "S"}
    switches = switched(jwt_future=future, jwt_life=life)
    assert token_is_good(token(moments), "S", SECRET, switches, NOW) == good


def test_any_issuer_is_good_where_no_service_id_is_set():
    claims = {"iat": int(NOW), "iss": "another"}
    assert token_is_good(token(claims), "", SECRET, Switches(), NOW)
    assert not token_is_good(token(claims), "S", SECRET, Switches(), NOW)
    assert not token_is_good(token(claims, alg="none"), "", SECRET, Switches(), NOW)


def admission(*, at: float = NOW, chance: float = 0.5, **settings) -> Admission:
    return Admission(Tenant(Settings(**settings), lambda: at, SimpleNamespace(random=lambda: chance)))


@pytest.mark.parametrize(
    ("switches", "count", "answer"),
    [
        ({}, 10, 0.0),
        ({}, 11, "7009"),
        ({"call_over_rate": "throttle"}, 11, 429),
        ({"call_over_rate": "take"}, 11, 0.0),
        ({"rate_counts": "calls"}, 11, 0.0),
        ({"burst": "on", "call_over_rate": "throttle"}, 15, 1.5),
        ({"burst": "on", "call_over_rate": "throttle"}, 16, 429),
    ],
)
def test_a_call_over_the_rate(switches, count, answer):
    found = admission(tps=10, switches=switched(**switches)).take(count)
    if isinstance(answer, float):
        assert found == answer
    elif isinstance(answer, int):
        assert found.status == answer
    else:
        body = json.loads(found.body)
        assert (body["code"], found.status) == (answer, 400)
        assert "Number of destinations is limited to 10" in body["message"]


def test_the_rate_is_kept_between_calls_and_begins_again_with_another_one():
    clock = SimpleNamespace(at=NOW)
    tenant = Tenant(Settings(tps=10.0), lambda: clock.at, random.Random(1))
    door = Admission(tenant)
    assert door.take(10) == 0.0
    assert door.take(1).status == 429
    clock.at += 0.5
    assert door.take(5) == 0.0
    assert door.take(1).status == 429
    tenant.settings = Settings(tps=20.0)
    assert door.take(20) == 0.0
    door.forget()
    assert door.take(20) == 0.0


@pytest.mark.parametrize(
    ("shape", "switch", "chance", "status"),
    [
        ("1", "429", 0.5, 400),
        ("1", "429", 0.4, 429),
        ("429", "7020", 0.5, 429),
        ("7020", "429", 0.5, 400),
        ("", "7020", 0.5, None),
    ],
)
def test_the_fault_throttle_chooses_the_shape_or_leaves_it_to_chance(shape, switch, chance, status):
    door = admission(chance=chance, faults=Faults(throttle=shape), switches=switched(throttle_as=switch))
    found = door.throttled_at_all()
    assert (found and found.status) == status
    assert admission(tps=5, faults=Faults(throttle="429")).throttled_at_all() is None, "the rate does it"


@pytest.mark.parametrize(("count", "wait"), [(1, 1), (11, 2), (20, 2), (21, 2)])
@pytest.mark.parametrize("written", ["seconds", "date", "none"])
def test_retry_after_is_when_there_is_room_again(count, wait, written):
    door = admission(tps=10, switches=switched(retry_after=written, call_over_rate="throttle"))
    door.take(10)
    door.rate.size = 20.0
    headers = door._throttle(count).headers.decode()
    if written == "none":
        assert headers == ""
    elif written == "seconds":
        assert headers == f"Retry-After: {wait}\r\n"
    else:
        at = parsedate_to_datetime(headers.removeprefix("Retry-After: ").strip())
        assert at.timestamp() == math.ceil(NOW) + wait


@pytest.mark.parametrize(
    ("switch", "status", "code"), [("403", 403, ""), ("7020", 400, "7020"), ("7103", 400, "7103")]
)
def test_a_quota_is_used_up_by_destinations_to_the_last_one(switch, status, code):
    door = admission(quota=10, switches=switched(over_quota=switch))
    assert [door.take(4), door.take(6)] == [0.0, 0.0]
    refused = door.take(1)
    assert refused.status == status
    assert (json.loads(refused.body)["code"] if refused.body else "") == code
    door.forget()
    assert door.take(10) == 0.0
    another = admission(quota=10)
    assert another.take(11).status == 403
    assert another.take(10) == 0.0, "what was refused is not counted"


# --- the rate -----------------------------------------------------------------------------------------------------------
def test_a_bucket_fills_at_its_rate_and_never_beyond_a_second():
    rate = Rate(10.0, 0.0)
    assert rate.take(10, 0.0) == 0.0
    assert rate.take(1, 0.05) is None
    assert rate.take(1, 0.1) == 0.0
    assert rate.take(10, 1.05) is None
    assert rate.take(9, 1.05) == 0.0
    assert rate.take(11, 100.0) is None
    assert rate.take(10, 100.0) == 0.0
    assert Rate(0.5, 0.0).take(1, 0.0) == 0.0, "less than one a second still lets one through"


def test_debt_lets_a_large_call_through_a_full_bucket_and_the_next_ones_wait():
    rate = Rate(10.0, 0.0)
    assert rate.take(25, 0.0, debt=True) == 0.0
    assert rate.wait(1) == pytest.approx(1.6)
    assert rate.take(1, 1.5, debt=True) is None
    assert rate.take(1, 1.6, debt=True) == 0.0
    assert rate.take(25, 2.5, debt=True) is None, "only a full one lets it through"
    assert rate.take(25, 2.6, debt=True) == 0.0


def test_a_burst_adds_half_as_much_and_queues_what_it_takes():
    rate = Rate(10.0, 0.0)
    assert rate.take(16, 0.0, burst=True) is None
    assert rate.take(15, 0.0, burst=True) == 1.5
    assert rate.take(1, 0.0, burst=True) is None
    assert rate.take(1, 0.2, burst=True) == 0.0
    assert rate.take(3, 0.2, burst=True) is None
    assert rate.take(2, 0.2, burst=True) == pytest.approx(1.5 + 0.2 - 0.2)
    assert Rate(1000.0, 0.0).extra == 100.0


def test_a_burst_lasts_half_an_hour_a_day_and_eight_hours_a_month():
    rate = Rate(10.0, NOW)

    def bursts(at: float) -> bool:
        rate.level, rate.extra_level, rate.at = 0.0, 5.0, at
        return rate.take(1, at, burst=True) is not None

    assert all(bursts(NOW + second) for second in range(1800))
    assert bursts(NOW + 1799.5), "the same second is counted once"
    assert not bursts(NOW + 1800)
    midnight = datetime(2027, 2, 1, tzinfo=UTC).timestamp()
    assert not bursts(midnight - 1)
    assert bursts(midnight)
    assert (rate.day_used, rate.month_used) == (1, 1)
    rate.month_used = 28_799
    assert bursts(midnight + 86_400)
    assert not bursts(midnight + 86_401)


@pytest.mark.parametrize(("level", "count", "wait"), [(0, 5, 0.5), (2, 5, 0.3), (10, 5, 0.0), (0, 99, 1.0)])
def test_the_wait_is_for_so_many_or_for_a_full_bucket(level, count, wait):
    rate = Rate(10.0, 0.0)
    rate.level = level
    assert rate.wait(count) == pytest.approx(wait)
