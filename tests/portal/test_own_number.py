"""One's own number counts once its code was typed; before that no test goes to it, and codes are few."""

import pytest

from portal.models import NumberCode, User
from sms.models import Draft, OptOut, Send, Service
from tests.support.people import signed_in
from tests.support.sends import a_service
from tests.support.telephone import a_telephone

pytestmark = pytest.mark.django_db
MINE, STRANGERS = "+447700900111", "+447700900222"


@pytest.fixture
def composer():
    return signed_in("composer@example.test", a_service(), "composer")


@pytest.fixture
def phone(composer):
    with a_telephone() as found:
        service = Service.objects.get()
        service.base_url = found.url
        service.keep_secrets_for_address()
        service.save()
        yield found


def ask(client, number: str):
    return client.post("/accounts/details/", {"own_number": number, "country": "GB", "time_zone": ""})


def type_in(client, code: str):
    return client.post("/accounts/details/code/", {"code": code})


def own() -> str:
    return User.objects.get(email="composer@example.test").own_number


def test_a_number_counts_only_with_the_code_that_went_to_it(composer, phone):
    ask(composer, MINE)
    assert own() == ""
    assert phone.bodies[0]["to"][0]["msisdn"] == [MINE.lstrip("+")]
    assert MINE not in composer.get("/accounts/details/code/").content.decode()
    type_in(composer, phone.code)
    assert own() == MINE
    assert phone.code not in str(NumberCode.objects.values())
    assert not Send.objects.exists()  # nobody reads the code on a page


def test_another_persons_number_gets_no_test(composer, phone):
    User.objects.update(own_number=MINE)
    ask(composer, STRANGERS)
    assert own() == MINE
    service = Service.objects.get()
    draft = Draft.objects.create(service=service, text="Hello", sender=service.senders.get())
    composer.post(f"/s/shop/drafts/{draft.pk}/test/", {"to": "own", "row": ""})
    assert [message.msisdn for message in Send.objects.get().messages.all()] == [MINE]


def test_five_wrong_codes_end_it_and_a_right_one_is_too_late(composer, phone):
    ask(composer, MINE)
    wrong = f"{(int(phone.code) + 1) % 1_000_000:06d}"
    for left in (4, 3, 2, 1):
        assert f"{left} tr" in type_in(composer, wrong).content.decode()
    assert type_in(composer, wrong).status_code == 422
    assert type_in(composer, phone.code).status_code == 422
    assert own() == ""


def test_a_code_works_once_for_ten_minutes_and_only_the_latest_one(composer, phone):
    ask(composer, MINE)
    first = phone.code
    ask(composer, STRANGERS)
    assert type_in(composer, first).status_code == 422 or first == phone.code
    NumberCode.objects.update(sent_at="2026-01-01T00:00Z")
    assert type_in(composer, phone.code).status_code == 422
    assert own() == ""


def test_codes_are_few_for_a_number_and_for_a_person(composer, phone):
    answers = [ask(composer, MINE).status_code for _ in range(4)]
    assert answers == [302, 302, 302, 422]
    other = signed_in("other@example.test", Service.objects.get(), "composer")
    assert ask(other, MINE).status_code == 422
    answers = [ask(composer, f"+4477009003{at:02d}").status_code for at in range(3)]
    assert answers == [302, 302, 422]
    assert len(phone.bodies) == 5


def test_who_opted_out_gets_no_code_and_a_desk_that_cannot_send_says_so(composer, phone):
    OptOut.objects.create(service=Service.objects.get(), msisdn=STRANGERS, source="page")
    assert "opted out" in ask(composer, STRANGERS).content.decode()
    Service.objects.update(paused_at="2026-01-01T00:00Z", paused_because="x")
    assert "Ask an admin" in ask(composer, MINE).content.decode()
    assert phone.bodies == []
    assert not NumberCode.objects.exists()


def test_no_number_is_always_possible(composer, phone):
    User.objects.update(own_number=MINE)
    ask(composer, "")
    assert own() == ""


def test_no_code_goes_to_a_country_that_the_service_does_not_write_to(composer, phone):
    page = ask(composer, "+2348030000001").content.decode()
    assert "abused often" in page
    assert phone.bodies == []
    assert not NumberCode.objects.exists()
