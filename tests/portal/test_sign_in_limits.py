"""Guessing passwords and codes: limits that cannot be washed away, that count two at once as two, and that do not lock the owner out."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone

from portal import sign_in_limits
from portal.kept_cache import KeptCache
from portal.models import User
from tests.support.factors import PASSWORD, SECRET, a_code

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def emptied():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def person() -> User:
    return User.objects.create_user("ann@example.test", PASSWORD)


def tries(
    client: Client, password: str = "wrong", *, email: str = "ann@example.test", address: str = "192.0.2.7"
):
    typed = {"login": email, "password": password}
    return client.post("/accounts/login/", typed, REMOTE_ADDR=address)


def says_too_many(answer) -> bool:
    return str(sign_in_limits.TOO_MANY) in answer.content.decode()


def test_wrong_passwords_end_after_five_and_the_right_one_too_from_there(person):
    assert [says_too_many(tries(Client())) for _ in range(7)] == [False] * 5 + [True] * 2
    assert says_too_many(tries(Client(), PASSWORD))
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert tries(Client(), PASSWORD).status_code == 302


def test_guesses_from_elsewhere_do_not_lock_the_right_person_out(person):
    for number in range(8):
        tries(Client(), address=f"198.51.100.{number}")
    assert says_too_many(tries(Client(), address="198.51.100.200")), "one network"
    assert tries(Client(), PASSWORD, address="192.0.2.7").status_code == 302


def test_a_device_that_signed_in_before_has_tries_of_its_own_until_the_password_changes(person):
    own = Client()
    tries(own, PASSWORD)
    own.post("/accounts/logout/")
    with time_machine.travel(timezone.now(), tick=True) as clock:
        for network in range(60):  # from everywhere, for hours
            tries(Client(), address=f"10.0.{network}.1")
        assert says_too_many(tries(Client(), PASSWORD, address="203.0.113.1")), (
            "for a new device the day is over"
        )
        assert tries(own, PASSWORD, address="10.0.1.1").status_code == 302
        own.post("/accounts/logout/")
        answers = [says_too_many(tries(own)) for _ in range(12)]
        assert answers.count(False) == 10, "not without end"
        clock.shift(timedelta(minutes=6))
        person.set_password("another horse battery")
        person.save()
        assert says_too_many(tries(own, "another horse battery")), "a device of the old password is none"


def test_the_cookie_of_a_device_is_for_its_person_and_cannot_be_made_up(person):
    other = User.objects.create_user("bob@example.test", PASSWORD)
    stranger = Client()
    tries(stranger, PASSWORD, email=other.email)
    stranger.post("/accounts/logout/")
    assert [says_too_many(tries(stranger)) for _ in range(6)][-1]
    forged = Client()
    forged.cookies["device"] = stranger.cookies["device"].value[:-4] + "abcd"
    assert says_too_many(tries(forged))


def test_one_who_has_a_network_has_one_set_of_tries_of_it(person):
    answers = [says_too_many(tries(Client(), address=f"2001:db8:7:{n:x}::{n:x}")) for n in range(6)]
    assert answers == [False] * 5 + [True]
    assert not says_too_many(tries(Client(), address="2001:db8:8::1"))


def test_one_network_tries_thirty_passwords_whoever_they_are_for():
    answers = [says_too_many(tries(Client(), email=f"p{n}@example.test")) for n in range(31)]
    assert answers == [False] * 30 + [True]


def test_an_address_in_other_spellings_is_one_account(person):
    spelled = [
        "ann@example.test",
        "ANN@example.test",
        " ann@example.test",
        "Ann@Example.Test",
        "aNN@EXAMPLE.test",
    ]
    for email in spelled:
        tries(Client(), email=email)
    assert says_too_many(tries(Client()))


def test_an_unknown_address_is_answered_as_a_known_one(person):
    known = [tries(Client(), address="192.0.2.1").content for _ in range(7)]
    unknown = [tries(Client(), email="nob@example.test", address="198.51.100.1").content for _ in range(7)]
    said = [str(sign_in_limits.TOO_MANY).encode() in page for page in known]
    assert said == [str(sign_in_limits.TOO_MANY).encode() in page for page in unknown]


def test_behind_a_proxy_the_address_that_it_noted_counts(person, settings):
    settings.BEHIND_PROXY = True
    typed = {"login": person.email, "password": "wrong"}

    def through(noted: str):
        return Client().post(
            "/accounts/login/", typed, REMOTE_ADDR="127.0.0.1", headers={"X-Forwarded-For": noted}
        )

    answers = [says_too_many(through(f"10.9.{n}.1, 203.0.113.9")) for n in range(6)]
    assert answers[-1], "what the caller made up in front changes nothing"
    assert not says_too_many(through("198.51.100.4"))


def test_cheap_requests_do_not_wash_the_counters_off(person):
    for _ in range(5):
        tries(Client())
    for number in range(420):
        cache.set(f"z{number}", 1, 600)
    for number in range(30):
        Client().post(
            "/accounts/password/reset/", {"email": f"x{number}@example.test"}, REMOTE_ADDR=f"10.1.{number}.1"
        )
    assert says_too_many(tries(Client(), PASSWORD))


def test_the_table_is_bounded_by_what_is_over(person):
    assert isinstance(cache._connections[cache._alias], KeptCache)
    for number in range(50):
        cache.set(f"k{number}", 1, 60)
    cache.set("lasts", 1, 6000)
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        from sms.worker.expired import forget

        assert forget() >= 50
        assert cache.get("lasts") == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_tries_at_once_each_counts(person):
    together = threading.Barrier(12)

    def one(_: int) -> bool:
        together.wait()
        try:
            return says_too_many(tries(Client()))
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        assert sorted(pool.map(one, range(12))) == [False] * 5 + [True] * 7


def test_without_the_database_nobody_signs_in_and_a_sentence_says_so(person, monkeypatch):
    def away(*_: object, **__: object) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(KeptCache, "_run", away)
    answer = tries(Client(), PASSWORD)
    assert answer.status_code == 200
    assert "cannot reach its database" in answer.content.decode()


# --- codes --------------------------------------------------------------------------------------------------------------
def at_the_code(person: User, address: str = "192.0.2.7") -> Client:
    client = Client(REMOTE_ADDR=address)
    assert tries(client, PASSWORD, address=address).url == "/accounts/2fa/authenticate/"
    return client


def enters(client: Client, code: str) -> bool:
    return client.post("/accounts/2fa/authenticate/", {"code": code}).status_code == 302


def test_a_code_works_once(person):
    TOTP.activate(person, SECRET)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        code = a_code()
        assert enters(at_the_code(person), code)
        cache.delete(f"allauth.mfa.totp.used?user={person.pk}&code={code}")
        for spelled in (code, f"{code[:3]} {code[3:]}", f"{code[:3]}-{code[3:]}"):
            assert not enters(at_the_code(person), spelled)
        clock.shift(timedelta(seconds=31))
        assert not enters(at_the_code(person), code)
        assert enters(at_the_code(person), a_code())


@pytest.mark.django_db(transaction=True)
def test_of_two_who_enter_one_code_at_once_one_gets_in(person):
    TOTP.activate(person, SECRET)
    clients = [at_the_code(person) for _ in range(4)]
    together = threading.Barrier(4)
    code = a_code()

    def one(client: Client) -> bool:
        together.wait()
        try:
            return enters(client, code)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(one, clients)) == [False, False, False, True]


def test_codes_are_tried_five_times(person):
    TOTP.activate(person, SECRET)
    client = at_the_code(person)
    wrong = "000000" if a_code() != "000000" else "111111"
    pages = [client.post("/accounts/2fa/authenticate/", urlencode({"code": wrong}), FORM) for _ in range(6)]
    assert [says_too_many(page) for page in pages] == [False] * 5 + [True]
    assert not enters(client, a_code())
    assert enters(at_the_code(person, "198.51.100.1"), a_code()), "not the person, at another place"
