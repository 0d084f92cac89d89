"""Every state of a short-link domain follows from what was seen, and each says what to do."""

import asyncio
import datetime as dt

import pytest

from sms.catalogue.domains.site import Certificate, Site
from sms.catalogue.domains.trace import NoAnswer, Trace, follow
from sms.catalogue.domains.verdict import CheckLevel, DomainObservation, Target, judge
from sms.models import DomainState as State

NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
HOST, STAR = "go.shop.example", "star-1.elb.example"
CNAME, A, NONE = Target("CNAME", STAR), Target("A", "52.138.107.55"), Target("CNAME", "")
PLACE = ("93.184.216.34", "93.184.216.35")
RIGHT = Trace(HOST, (STAR,), PLACE)


def certificate(days: float = 90, **changes) -> Certificate:
    fields = {"names": (HOST,), "issuer": "Trusty", "expires_at": NOW + dt.timedelta(days=days)} | changes
    return Certificate(**fields)


FINE = Site(certificate(), status=404, secured=True)

CASES = {
    # case: (seen, target, worked, state, words)
    "right": (DomainObservation(RIGHT, site=FINE), CNAME, False, State.HEALTHY, "links work"),
    "right, longer chain": (
        DomainObservation(Trace(HOST, ("x.shop.example", STAR, "y.example"), PLACE), site=FINE),
        CNAME,
        False,
        State.HEALTHY,
        "links work",
    ),
    "A record": (
        DomainObservation(Trace(HOST, (), (A.value,)), site=FINE),
        A,
        False,
        State.HEALTHY,
        "links work",
    ),
    "provider's own": (
        DomainObservation(Trace("uk.wbxc.io", (), PLACE), site=FINE),
        NONE,
        False,
        State.HEALTHY,
        "links work",
    ),
    "no name yet": (
        DomainObservation(Trace(HOST, trouble="no_name")),
        CNAME,
        False,
        State.NOT_SET_UP,
        f"CNAME record {HOST} → {STAR}",
    ),
    "no name any more": (
        DomainObservation(Trace(HOST, trouble="no_name")),
        CNAME,
        True,
        State.BROKEN,
        "NXDOMAIN",
    ),
    "points to nothing": (
        DomainObservation(Trace(HOST, ("gone.example",), trouble="no_name")),
        CNAME,
        False,
        State.BROKEN,
        "gone.example, which does not exist",
    ),
    "no address": (DomainObservation(Trace(HOST)), CNAME, False, State.NOT_SET_UP, "no address"),
    "loop": (
        DomainObservation(Trace(HOST, ("b.example", HOST), trouble="loop")),
        CNAME,
        True,
        State.BROKEN,
        "circle",
    ),
    "too long": (
        DomainObservation(Trace(HOST, ("a",) * 9, trouble="too_long")),
        CNAME,
        True,
        State.BROKEN,
        "8 CNAME",
    ),
    "servfail": (DomainObservation(Trace(HOST, trouble="servfail")), CNAME, True, State.BROKEN, "SERVFAIL"),
    "slow, before": (
        DomainObservation(Trace(HOST, trouble="timeout")),
        CNAME,
        False,
        State.PENDING,
        "in time",
    ),
    "slow, after": (
        DomainObservation(Trace(HOST, trouble="timeout")),
        CNAME,
        True,
        State.DEGRADED,
        "in time",
    ),
    "our own network": (
        DomainObservation(Trace(HOST, trouble="servfail"), control=False),
        CNAME,
        True,
        None,
        "nothing was checked",
    ),
    "elsewhere": (
        DomainObservation(Trace(HOST, ("other.example",), ("198.51.100.7",)), PLACE, FINE),
        CNAME,
        False,
        State.BROKEN,
        f"points to other.example, not to {STAR}",
    ),
    "other address": (
        DomainObservation(Trace(HOST, (), ("198.51.100.7",)), site=FINE),
        A,
        False,
        State.BROKEN,
        f"198.51.100.7, not {A.value}",
    ),
    "flattened": (
        DomainObservation(Trace(HOST, (), PLACE[:1]), PLACE, FINE),
        CNAME,
        False,
        State.DEGRADED,
        "instead of a CNAME",
    ),
    "one address too many": (
        DomainObservation(Trace(HOST, (), (A.value, "198.51.100.7")), site=FINE),
        A,
        False,
        State.DEGRADED,
        "also has the address",
    ),
    "private": (
        DomainObservation(Trace(HOST, (STAR,), ("10.0.0.1",)), private="10.0.0.1 is not a public address"),
        CNAME,
        False,
        State.BROKEN,
        "no phone can reach",
    ),
    "certificate not there yet": (
        DomainObservation(RIGHT, site=Site(certificate(names=("*.imi.example",), fault="other_name"))),
        CNAME,
        False,
        State.PENDING,
        "for *.imi.example",
    ),
    "certificate of another": (
        DomainObservation(RIGHT, site=Site(certificate(names=("*.imi.example",), fault="other_name"))),
        CNAME,
        True,
        State.BROKEN,
        "Send the certificate",
    ),
    "certificate expired": (
        DomainObservation(RIGHT, site=Site(certificate(-1, fault="expired"))),
        CNAME,
        False,
        State.BROKEN,
        "expired on 1 March 2026",
    ),
    "not trusted": (
        DomainObservation(RIGHT, site=Site(certificate(fault="untrusted", issuer="Me"))),
        CNAME,
        False,
        State.PENDING,
        "issuer: Me",
    ),
    "nobody there yet": (
        DomainObservation(RIGHT, site=Site(trouble="no_answer")),
        CNAME,
        False,
        State.PENDING,
        "No server answers",
    ),
    "nobody there any more": (
        DomainObservation(RIGHT, site=Site(trouble="no_answer")),
        CNAME,
        True,
        State.BROKEN,
        "No server answers",
    ),
    "no TLS": (
        DomainObservation(RIGHT, site=Site(trouble="no_tls")),
        CNAME,
        True,
        State.BROKEN,
        "does not speak TLS",
    ),
    "site slow": (
        DomainObservation(RIGHT, site=Site(trouble="timeout")),
        CNAME,
        True,
        State.BROKEN,
        "in time",
    ),
    "expires soon": (
        DomainObservation(RIGHT, site=Site(certificate(20.5), status=200)),
        CNAME,
        True,
        State.DEGRADED,
        "in 20 days",
    ),
    "expires tomorrow": (
        DomainObservation(RIGHT, site=Site(certificate(1.5), status=200)),
        CNAME,
        True,
        State.DEGRADED,
        "in 1 day,",
    ),
    "error": (
        DomainObservation(RIGHT, site=Site(certificate(), status=503)),
        CNAME,
        True,
        State.DEGRADED,
        "error 503",
    ),
    "gibberish": (
        DomainObservation(RIGHT, site=Site(certificate())),
        CNAME,
        True,
        State.DEGRADED,
        "nothing that a browser",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_state_and_sentence(case):
    seen, target, worked, state, words = CASES[case]
    report = judge(seen, target=target, worked=worked, now=NOW)
    assert report.state == state, report
    assert words in report.says, report.says
    assert report.findings, "a check without a line is no answer"
    assert report.says.endswith("."), report.says


def test_every_state_but_unchecked_has_a_case():
    assert {case[3] for case in CASES.values()} - {None} == set(State) - {State.UNCHECKED}


def test_a_missing_redirect_is_a_note_and_nothing_worse():
    report = judge(
        DomainObservation(RIGHT, site=Site(certificate(), status=200, secured=False)),
        target=CNAME,
        worked=False,
        now=NOW,
    )
    assert report.state == State.HEALTHY
    assert [one.part for one in report.findings if one.level == CheckLevel.NOTE] == ["HTTPS"]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ({"a": "b", "b": "c"}, Trace("a", ("b", "c"), ("192.0.2.1",))),
        ({"a": "b", "b": "a"}, Trace("a", ("b", "a"), trouble="loop")),
        ({"a": "a"}, Trace("a", ("a",), trouble="loop")),
        ({f"a{n}" if n else "a": f"a{n + 1}" for n in range(50)}, "too_long"),
        ({"a": "B."}, Trace("a", ("b",), ("192.0.2.1",))),
        ({"a": "b", "b": NoAnswer("servfail")}, Trace("a", ("b",), trouble="servfail")),
    ],
)
def test_the_chain_is_followed_to_its_end_and_no_further(records, expected):
    async def ask(name: str, kind: str) -> list[str]:
        found = records.get(name)
        if isinstance(found, NoAnswer):
            raise found
        if kind == "CNAME":
            return [found] if found else []
        return ["192.0.2.1"] if kind == "A" else []

    trace = asyncio.run(follow("a", ask))
    if isinstance(expected, str):
        assert trace.trouble == expected and len(trace.chain) < 12
    else:
        assert trace == expected
