"""The click rules by themselves: every text has a verdict, order of arrival does not matter, and the labelled set is judged as promised."""

import ipaddress
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.inbound.clicks import networks
from sms.inbound.clicks.agents import Agent, agent_of
from sms.inbound.clicks.networks import NetworkOwner, network_of
from sms.inbound.clicks.verdicts import ClickVerdict, ClickVisit, VerdictReason, judge
from sms.models import Click
from tests.inbound import make
from tests.inbound.labelled import messages

START = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
PHONE = make.iphone("18_0")

seconds = st.integers(min_value=-20_000, max_value=600_000).map(lambda number: number / 10)
agents = st.sampled_from(
    (PHONE, make.windows(), make.mac(), "", "curl/8.5.0", "Mozilla/5.0", "WhatsApp/2", make.android("K"))
)
addresses = st.sampled_from(
    ("203.0.113.1", "203.0.113.2", "203.0.113.3", "52.4.17.9", "2001:db8::7", "", "x")
)
visits = st.builds(
    lambda at, url, ip, agent: ClickVisit(START + timedelta(seconds=at), url, ip, agent),
    # close together as a rule, so that the rules about neighbours have something to say
    st.one_of(seconds, st.integers(0, 60).map(lambda number: number / 4)),
    st.sampled_from(("https://a.example/", "https://b.example/")),
    st.one_of(addresses, st.text(max_size=20)),
    st.one_of(agents, st.text(max_size=60)),
)
moments = st.one_of(st.none(), seconds.map(lambda at: START + timedelta(seconds=at)))


def visit(at, *, agent=PHONE, ip="203.0.113.1", url="https://a.example/"):
    return ClickVisit(START + timedelta(seconds=at), url, ip, agent)


def told(*visits, delivered=4.0):
    delivered_at = None if delivered is None else START + timedelta(seconds=delivered)
    found = judge(list(visits), posted_at=START, delivered_at=delivered_at)
    return [(verdict.kind.value, verdict.reason.value) for verdict in found]


@given(st.lists(visits, max_size=12), moments, moments)
def test_every_visit_has_a_verdict_whatever_it_holds(found, posted_at, delivered_at):
    verdicts = judge(found, posted_at=posted_at, delivered_at=delivered_at)
    assert len(verdicts) == len(found)
    assert all(
        isinstance(one, ClickVerdict) and one.kind in Click.Verdict and one.reason in VerdictReason
        for one in verdicts
    )


@given(
    st.lists(visits, max_size=12).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))),
    moments,
)
def test_order_of_arrival_does_not_matter(both, delivered_at):
    # equal visits may change places with each other, so compare as a bag
    bags = [
        Counter(zip(order, judge(order, posted_at=START, delivered_at=delivered_at), strict=True))
        for order in both
    ]
    assert bags[0] == bags[1]


def test_reasons_fit_their_column():
    assert max(map(len, VerdictReason)) <= Click._meta.get_field("reason").max_length


@pytest.mark.parametrize("reason", list(VerdictReason))
def test_every_reason_is_explained_in_the_document(reason):
    text = (make.FILE.parents[2] / "docs" / "users" / "clicks.md").read_text(encoding="utf-8")
    assert f"| `{reason}` |" in text


def test_every_reason_is_given_to_some_click_of_the_labelled_set():
    given_reasons = {
        verdict.reason
        for message in messages()
        for verdict in judge(message.visits, posted_at=message.posted_at, delivered_at=message.delivered_at)
    }
    assert set(VerdictReason) - given_reasons <= {VerdictReason.ADDRESS_CRAWLER}


def test_a_person_on_a_phone_is_human_and_a_second_click_is_theirs_too():
    assert told(visit(8), visit(13)) == [("human", "phone")] * 2


def test_two_links_within_a_second_are_a_machines_and_a_later_click_changes_the_earlier_verdict():
    first = visit(47, agent=make.windows())
    assert told(first) == [("human", "browser")]
    second = visit(47.6, agent=make.windows(), url="https://b.example/")
    assert told(first, second) == [("machine", "links_together")] * 2


def test_the_betrayed_visitor_is_a_machine_later_too_but_a_phones_owner_is_not():
    scanner = [visit(47, agent=make.windows()), visit(47, agent=make.windows(), url="https://b.example/")]
    assert told(*scanner, visit(9000, agent=make.windows()))[2] == ("machine", "same_visitor")
    previewer = [visit(5, agent=PHONE), visit(5, agent=PHONE, url="https://b.example/")]
    assert told(*previewer, visit(70))[2] == ("human", "phone")


@pytest.mark.parametrize(("gap", "expected"), [(1.0, ("unsure", "double")), (1.1, ("human", "phone"))])
def test_the_same_visit_twice_within_a_second_is_counted_once_for_sure(gap, expected):
    assert told(visit(30), visit(30 + gap)) == [("human", "phone"), expected]


@pytest.mark.parametrize(("step", "machine"), [(2.5, True), (2.6, False)])
def test_five_visits_within_ten_seconds_are_a_machines(step, machine):
    found = told(*(visit(30 + step * number) for number in range(5)))
    assert found == [("machine", "repeats") if machine else ("human", "phone")] * 5


def test_three_addresses_within_two_seconds_are_a_crowd_and_two_are_not():
    crowd = [visit(30 + number, ip=f"203.0.113.{number}") for number in range(3)]
    assert told(*crowd) == [("machine", "crowd")] * 3
    assert told(*crowd[:2]) == [("human", "phone")] * 2
    nowhere = [visit(30 + number / 2, ip="", agent=make.android(f"X{number}")) for number in range(3)]
    assert told(*nowhere) == [("human", "phone")] * 3


@pytest.mark.parametrize(
    ("at", "delivered", "expected"),
    [
        (2.9, None, ("machine", "too_soon")),
        (3.0, None, ("human", "phone")),
        (4.9, 4.0, ("machine", "too_soon")),
        (5.0, 4.0, ("unsure", "hasty")),
        (7.0, 4.0, ("human", "phone")),
        (8.0, 20.0, ("unsure", "before_delivery")),
        (12.0, 20.0, ("human", "phone")),  # the delivery was told late
        (-5.0, None, ("human", "phone")),  # posted again since: this attempt says nothing of that click
    ],
)
def test_seconds_since_posting_and_delivery(at, delivered, expected):
    assert told(visit(at), delivered=delivered) == [expected]


def test_a_rented_machine_is_a_machine_and_a_phone_behind_one_is_unsure():
    assert told(visit(60, agent=make.windows(), ip="52.4.17.9")) == [("machine", "address_hosting")]
    assert told(visit(60, ip="52.4.17.9")) == [("unsure", "address_hosting")]
    assert told(visit(60, ip="::ffff:66.249.66.1")) == [("machine", "address_crawler")]


@pytest.mark.parametrize("agent", [*make.OTHER_BROWSERS, *make.IN_APP, *map(make.android, make.MAKERS)])
def test_no_phone_browser_bears_a_machines_name(agent):
    assert agent_of(agent) is Agent.PHONE


def test_blocks_of_addresses_do_not_overlap_and_leave_people_out():
    for firsts, rows in networks._TABLES.values():
        lasts = [last for last, _ in rows]
        assert all(last < following for last, following in zip(lasts, firsts[1:], strict=False))
    for people in (*make.RELAYS, "165.225.80.4", "203.0.113.9", "192.168.1.5", "10.0.0.1", "2001:db8::1"):
        assert network_of(people) is NetworkOwner.OTHER


@given(st.ip_addresses())
def test_an_address_is_found_in_its_block_as_a_plain_search_finds_it(address):
    assert network_of(str(address)) is plainly(address)


@pytest.mark.parametrize(
    "written", [block for blocks in networks.BLOCKS.values() for block in blocks.split()]
)
def test_the_ends_of_a_block_are_in_it_and_their_neighbours_as_a_plain_search_says(written):
    block = ipaddress.ip_network(written)
    for address in (block[0], block[-1], block[0] - 1, block[-1] + 1):
        assert network_of(str(address)) is plainly(address)


def plainly(address):
    for network, blocks in networks.BLOCKS.items():
        if any(address in ipaddress.ip_network(block) for block in blocks.split()):
            return NetworkOwner(network)
    return NetworkOwner.OTHER


def test_the_labelled_set_is_large_enough_and_judged_as_well_as_promised():
    found = [
        (truth, verdict.kind.value)
        for message in messages()
        for truth, verdict in zip(
            message.truths,
            judge(message.visits, posted_at=message.posted_at, delivered_at=message.delivered_at),
            strict=True,
        )
    ]
    table = Counter(found)
    assert len(found) >= 300
    assert table["human", "human"] / sum(verdict == "human" for _, verdict in found) >= 0.95
    assert table["machine", "machine"] / sum(verdict == "machine" for _, verdict in found) >= 0.98
    assert table["human", "human"] / sum(truth == "human" for truth, _ in found) >= 0.9
    assert table["machine", "machine"] / sum(truth == "machine" for truth, _ in found) >= 0.9


def test_ten_thousand_clicks_of_one_message_are_judged_in_little_time():
    many = [visit(index / 50, ip=f"203.0.113.{index % 200}") for index in range(10_000)]
    started = datetime.now(UTC)
    judge(many, posted_at=START, delivered_at=START)
    assert (datetime.now(UTC) - started).total_seconds() < 5  # quadratic would be minutes
