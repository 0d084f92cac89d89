"""Spend caps by the one way to a send: what is taken, refused, given back and moved, also by two at once."""

import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sms import dispatch
from sms.audiences.files import Limits, read_pasted
from sms.catalogue import api_keys
from sms.catalogue.caps.rules import CapRules
from sms.compose import background
from sms.compose.create import create
from sms.compose.errors import ComposeError
from sms.compose.spending import CapRefused
from sms.models import ApiKey, ApprovalRequest, Message, Price, Reject, Send, Service, SpendCount
from sms.models.spend_cap import DEFAULTS
from sms.sends import answers
from sms.sends.cancel import cancel
from sms.sends.reschedule import reschedule
from sms.values.problems import ProblemCode
from tests.support.approvals import a_careful_service, a_person, acting, request_of
from tests.support.sends import BY, a_send, a_service, an_order, numbers


def capped(**caps) -> Service:
    return a_service(**caps)


@pytest.mark.django_db
def test_caps_are_on_from_the_start():
    new = Service()
    assert {name: getattr(new, name) for name in DEFAULTS} == DEFAULTS
    assert all(DEFAULTS.values())


def used(service: Service) -> int:
    return sum(SpendCount.objects.filter(service=service, number="").values_list("used", flat=True))


def on_numbers(service: Service) -> list[int]:
    rows = SpendCount.objects.filter(service=service).exclude(number="").order_by("pk")
    return list(rows.values_list("used", flat=True))


def to(*written: str):
    return read_pasted("\n".join(written), country="GB", limits=Limits())


def a_key(service: Service, **changes) -> ApiKey:
    return api_keys.make(service, by=BY, **{"name": "Shop", "scopes": ["send"]} | changes)[0]


@pytest.mark.django_db
def test_a_send_that_does_not_fit_is_refused_whole_and_says_what_is_left_and_when_it_is_free():
    service = capped(cap_day=10)
    a_send(service, 8)
    with pytest.raises(CapRefused) as refused:
        create(an_order(service, 3), by=BY)
    problem = refused.value.problems[0]
    assert (problem.code, problem.field) == (ProblemCode.CAP_REACHED, "audience")
    for said in (
        "10 segments",
        "8 segments",
        "2 segments",
        "3 segments",
        "00:00",
        "Set-up › Rules › Spend caps",
    ):
        assert said in problem.text
    assert (Send.objects.count(), Message.objects.count(), used(service)) == (1, 8, 8)
    a_send(service, 2, audience=numbers(2, start=100))
    assert used(service) == 10


@pytest.mark.django_db
def test_what_counts_are_segments():
    service = capped(cap_day=3)
    with pytest.raises(CapRefused):
        create(an_order(service, 1, content="x" * 500), by=BY)  # four of them
    a_send(service, 1, content="x" * 400)
    assert used(service) == 3


@pytest.mark.django_db
def test_each_key_has_its_cap_and_people_have_none_of_it():
    service = capped(cap_key=5)
    shop, till = a_key(service), a_key(service, name="Till", cap_day=2)
    create(an_order(service, 5, key=shop), by=BY)
    with pytest.raises(CapRefused, match="Shop"):
        create(an_order(service, 1, key=shop), by=BY)
    with pytest.raises(CapRefused, match="Till"):
        create(an_order(service, 3, key=till), by=BY)
    create(an_order(service, 2, key=till), by=BY)
    a_send(service, 9)
    assert used(service) == 16


@pytest.mark.django_db
def test_a_country_abroad_has_its_cap_and_one_in_the_list_its_own():
    service = capped(cap_country=2, countries="FR, DE 3")
    french = ["+33612345670", "+33612345671", "+33612345672"]
    german = ["+4915112345670", "+4915112345671", "+4915112345672", "+4915112345673"]
    with pytest.raises(CapRefused, match="France"):
        create(an_order(service, audience=to(*french), leave_out=0), by=BY)
    create(an_order(service, audience=to(*german[:3]), leave_out=0), by=BY)
    with pytest.raises(CapRefused, match="Germany"):
        create(an_order(service, audience=to(german[3]), leave_out=0), by=BY)


@pytest.mark.django_db
@pytest.mark.parametrize("country", ["", "GB"])
def test_a_country_that_is_not_allowed_is_a_rejected_row(country):
    service = capped(countries=country)
    send = create(an_order(service, audience=to("+447700900001", "+992917123456"), leave_out=0), by=BY)
    row = Reject.objects.get(send=send)
    assert (row.code, row.field) == (ProblemCode.COUNTRY_NOT_ALLOWED, "TJ")
    assert "Set-up › Rules › Spend caps" in row.reason
    assert used(service) == 1
    service.countries = "GB TJ"
    service.save()
    create(an_order(service, audience=to("+992917123456"), leave_out=0), by=BY)


@pytest.mark.django_db
def test_satellite_numbers_are_of_no_country_that_is_allowed():
    service = capped()
    with pytest.raises(ComposeError):
        create(an_order(service, audience=to("+881612345678"), leave_out=0), by=BY)
    send = create(an_order(service, audience=to("+447700900001", "+881612345678"), leave_out=0), by=BY)
    assert Reject.objects.get(send=send).field == "satellite", "the words about these rows end with it"


@pytest.mark.django_db
def test_one_number_gets_so_many_a_day_and_then_is_a_rejected_row():
    service = capped(cap_number=2)
    for _ in range(2):
        a_send(service, 1)
    send = a_send(service, 2)
    assert (send.recipients, send.rejected) == (1, 1)
    assert Reject.objects.get(send=send).code == ProblemCode.NUMBER_CAP
    with pytest.raises(ComposeError):
        create(an_order(service, 1), by=BY)
    assert on_numbers(service) == [2, 1]
    assert not SpendCount.objects.filter(number__contains="7710").exists()


@pytest.mark.django_db
def test_money_counts_where_prices_are_known():
    service = capped(cap_money=Decimal("0.50"), cap_currency="EUR")
    Price.objects.create(service=service, country="GB", amount=Decimal("0.1"), currency="EUR")
    Price.objects.create(service=service, country="FR", amount=Decimal("9"), currency="USD")
    a_send(service, 4)
    with pytest.raises(CapRefused, match=r"0\.50 EUR.*0\.40 EUR"):
        create(an_order(service, 2), by=BY)
    create(an_order(service, audience=to("+33612345670"), leave_out=0), by=BY)  # in another currency


@pytest.mark.django_db
def test_what_is_cancelled_before_it_is_posted_comes_back_and_only_once():
    service = capped(cap_day=10, cap_number=1)
    send = a_send(service, 10, due_at=timezone.now() + timedelta(seconds=30))
    with pytest.raises(ComposeError):
        create(an_order(service, 1), by=BY)
    cancel(send, by=BY)
    cancel(send, by=BY)
    assert (used(service), set(on_numbers(service))) == (0, {0})
    a_send(service, 10)


@pytest.mark.django_db
def test_each_day_has_its_own_room_and_a_moved_send_takes_from_the_new_day():
    service = capped(cap_day=5, cap_number=1)
    tomorrow = timezone.now() + timedelta(days=1)
    a_send(service, 5)
    send = a_send(service, 5, due_at=tomorrow)
    with pytest.raises(CapRefused):
        create(an_order(service, 1, audience=numbers(1, start=50), due_at=tomorrow), by=BY)
    with pytest.raises(CapRefused):
        reschedule(send, due_at=timezone.now() + timedelta(seconds=1), by=BY)
    later = tomorrow + timedelta(days=1)
    reschedule(send, due_at=later, by=BY)
    send.refresh_from_db()
    assert used(service) == 10
    a_send(service, 5, due_at=tomorrow)


@pytest.mark.django_db
def test_what_waits_for_approval_holds_its_room_and_a_rejection_gives_it_back():
    service = a_careful_service(cap_day=5)
    send, bob = a_send(service, 5), a_person("bob", service)
    assert (send.state, used(service)) == ("awaiting", 5)
    with pytest.raises(CapRefused):
        create(an_order(service, 1), by=BY)
    request = request_of(send)
    answers.reject(request, by=acting(bob), seen=request.fingerprint, comment="No.")
    assert used(service) == 0


@pytest.mark.django_db
def test_an_approval_on_a_later_day_takes_room_of_that_day():
    service = a_careful_service(cap_day=5, cap_number=1)
    send, bob = a_send(service, 5), a_person("bob", service)
    request, later = request_of(send), timezone.now() + timedelta(days=1)
    ApprovalRequest.objects.update(expires_at=later + timedelta(hours=1))
    blocking = a_send(service, 3, audience=numbers(3, start=50), due_at=later)
    given = {"by": acting(bob), "seen": request.fingerprint, "now": later}
    with pytest.raises(answers.ApprovalRefused, match="5 segments a day"):
        answers.approve(request, **given)
    cancel(blocking, by=BY)
    assert answers.approve(request, **given)
    send.refresh_from_db()
    assert (send.counted_on, used(service)) == (CapRules.of(service).day_of(later), 5)


@pytest.mark.django_db
def test_what_expires_or_opts_out_before_it_is_posted_comes_back():
    service = capped(cap_day=5, cap_number=1)
    send = a_send(service, 3, expires_at=timezone.now() + timedelta(minutes=5))
    Send.objects.filter(pk=send.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    dispatch.run(public_url="http://127.0.0.1:8000", seconds=5)
    assert set(send.messages.values_list("state", flat=True)) == {"expired"}
    assert (used(service), set(on_numbers(service))) == (0, {0})


@pytest.mark.django_db
def test_many_sends_to_one_number_put_together_on_one_day_are_refused():
    service = capped(cap_number=2)
    sends = [a_send(service, 1, due_at=timezone.now() + timedelta(days=at)) for at in (1, 2, 3)]
    day = sends[0].due_at
    reschedule(sends[1], due_at=day, by=BY)
    with pytest.raises(ComposeError) as refused:
        reschedule(sends[2], due_at=day, by=BY)
    assert refused.value.code == ProblemCode.NUMBER_CAP


@pytest.mark.django_db
def test_a_large_send_reserves_as_a_whole_and_keeps_what_was_written():
    service = capped(cap_day=6_000, cap_number=1)
    a_send(service, 100)
    send = create(an_order(service, 5_900, audience=numbers(5_900, start=50)), by=BY)
    assert used(service) == 5_950  # 50 of them had one already
    with pytest.raises(CapRefused):
        create(an_order(service, 51, audience=numbers(51, start=9_000)), by=BY)
    a_send(service, 10, audience=numbers(10, start=5_940))  # before their rows are written
    background.run(stopped=lambda: False)
    send.refresh_from_db()
    assert (send.recipients, send.rejected) == (5_840, 60)
    assert used(service) == 100 + 10 + 5_840
    cancel(send, by=BY)
    assert used(service) == 110


@pytest.mark.django_db
def test_a_large_send_that_does_not_fit_is_refused_before_anything_is_written():
    service = capped(cap_day=5_500)
    with pytest.raises(CapRefused):
        create(an_order(service, 5_501), by=BY)
    assert not Send.objects.exists()


@pytest.mark.django_db
def test_a_large_send_that_is_cancelled_while_it_is_written_gives_all_back():
    service = capped(cap_day=6_000, cap_number=1)
    send = create(an_order(service, 6_000), by=BY)
    cancel(send, by=BY)
    assert used(service) == 0


@pytest.mark.django_db
def test_many_rows_are_checked_with_one_query_for_each_thousand():
    service = capped(cap_number=1)
    with CaptureQueriesContext(connection) as queries:
        create(an_order(service, 20_000), by=BY)
    assert sum("sms_spendcount" in one["sql"] for one in queries) <= 22


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("keys", [1, 4])
def test_of_many_at_once_no_more_go_than_the_cap_allows(keys):
    service = capped(cap_day=20, cap_key=20, cap_number=20)
    given = [a_key(service, name=f"Key {at}") for at in range(keys)]
    accepted, refused = _at_once(service, given, each=3, tries=12)
    assert used(service) == 3 * accepted == 18
    assert (Message.objects.count(), refused) == (18, 6)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_to_one_number_no_more_go_than_it_may_get():
    service = capped(cap_number=4)
    accepted, _ = _at_once(service, [a_key(service), a_key(service, name="Till")], each=1, tries=12)
    assert (accepted, Message.objects.count(), on_numbers(service)) == (4, 4, [4])


def _at_once(service: Service, keys: list[ApiKey], *, each: int, tries: int) -> tuple[int, int]:
    """How many of so many requests, four at a time, were accepted, and how many a cap refused."""
    outcomes: list[str] = []
    wait = threading.Barrier(4)

    def run(key: ApiKey) -> None:
        try:
            for _ in range(tries // 4):
                wait.wait(30)
                try:
                    create(replace(an_order(service, each), key=key), by=BY)
                    outcomes.append("accepted")
                except ComposeError:
                    outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(keys[at % len(keys)],)) for at in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    return outcomes.count("accepted"), outcomes.count("refused")
