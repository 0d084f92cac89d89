"""What is shown while one writes is what would be sent: marks, seams, real rows longest first, and figures that say what they rest on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.audiences import sample
from sms.audiences.files import Audience, Limits, Recipient
from sms.compose import checks, preview
from sms.compose.errors import ComposeError
from sms.compose.options import asking_for
from sms.compose.order import Order
from sms.compose.placeholders import PlaceholderSource
from sms.compose.resolved_order import ResolvedOrder, resolve
from sms.models import Sender, SenderKind, ShortLinkDomain
from sms.values import text
from tests.support.sends import a_service

TYPED = st.text(st.sampled_from("ab €[ż🎉\n’"), max_size=700)


@given(TYPED)
def test_seams_stand_where_segments_begin(written):
    breaks = text.breaks(written)
    assert len(breaks) + 1 == max(text.segments(written).count, 1)
    assert breaks == sorted(set(breaks))


@given(TYPED, st.dictionaries(st.sampled_from(["a", "b"]), st.text("xż$()", max_size=5)))
def test_pieces_make_the_text_that_is_rendered(written, values):
    pieces = text.filled(f"$(a){written}$(b)", substitutions=values)
    kept = {name: values.get(name) or f"$({name})" for name in ("a", "b")}
    assert "".join(one.text for one in pieces) == text.render(f"$(a){written}$(b)", substitutions=kept)
    assert [one.name for one in pieces if one.value is None] == [
        name for name in ("a", "b") if not values.get(name)
    ]


@pytest.fixture
def service(db):
    return a_service()


def people(count: int, **cells) -> sample.AudienceSample:
    rows = [
        Recipient(row=at + 2, msisdn=f"+44771{at:07d}", substitutions={"Name": "x" * (at % 37), **cells})
        for at in range(count)
    ]
    return sample.of_audience(Audience(["Mobile", "Name", *cells], "Mobile", rows, []))


def written(service, content: str, of: sample.AudienceSample = sample.EMPTY, **changes) -> ResolvedOrder:
    return resolve(Order(service=service, audience=of, content=content, **changes))


def seen(
    service, content: str, of: sample.AudienceSample = sample.EMPTY, *, at: int = 0, **changes
) -> preview.Preview:
    return preview.preview_of(written(service, content, of, **changes), of, at=at)


def kinds(made: preview.Preview) -> list[tuple[str, str]]:
    return [(bit.kind, bit.shown) for bit in made.phone.bits]


def test_values_placeholders_culprits_and_seams_are_marked_in_place(service):
    rows = people(1, City="Żory")
    made = seen(service, "$(city) ’ $(nobody)" + "x" * 60, rows)
    assert kinds(made) == [
        ("culprit", "Ż"),
        ("value", "ory"),
        ("text", " "),
        ("culprit", "’"),
        ("text", " "),
        ("placeholder", "$(nobody)"),
        ("text", "x" * 51),
        ("break", "2"),
        ("text", "x" * 9),
    ]
    assert made.phone.refused == "This row has nothing for $(nobody)."
    assert written(service, "$(city) $(nobody)", rows).unfilled == ["nobody"]
    assert [(one.char, one.code, one.instead, one.column) for one in made.odd] == [
        ("’", "U+2019", "'", ""),
        ("Ż", "U+017B", "Z", "this row"),
    ]
    assert "'" in made.replaced


def test_rows_are_stepped_through_longest_first_and_no_further_than_the_last(service):
    rows = people(60)
    first, last = seen(service, "Hi $(name)", rows), seen(service, "Hi $(name)", rows, at=10_000)
    assert (first.phone.row, first.at, first.steps) == (38, 0, 60)
    assert (last.phone.row, last.at, last.phone.refused) == (39, 59, "This row has nothing for $(name).")
    assert first.totals.rows == 58, "rows without a name are left out"


def test_figures_of_few_rows_are_exact_and_of_many_an_estimate_that_the_check_confirms(service):
    words = "Hi $(name) " + "x" * 140
    assert seen(service, words, people(200)).totals == _checked(service, words, 200)
    many = people(5_000)
    assert not many.whole
    estimate, counted = seen(service, words, many).totals, _checked(service, words, 5_000)
    assert not estimate.exact
    assert estimate.worst == counted.worst == 2, "the longest row is in the sample"
    assert abs(estimate.most - counted.most) < 0.05 * counted.most


def _checked(service, words: str, count: int) -> preview.Totals:
    rows = [
        Recipient(row=at + 2, msisdn=f"+44771{at:07d}", substitutions={"Name": "x" * (at % 37)})
        for at in range(count)
    ]
    audience = Audience(["Mobile", "Name"], "Mobile", rows, [])
    order = Order(service=service, audience=audience, sender=service.senders.first(), content=words)
    return preview.totals_of_all(checks.survey(order))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("$(number)", "A value of this row reads like a placeholder: $(number). Write it another way."),
        ("x" * 30, "The text would have 33 characters; 20 are allowed."),
        ("", "This row has nothing for $(name)."),
        ("Ada", ""),
    ],
)
def test_a_row_that_create_rejects_is_shown_as_left_out_with_its_reason(service, value, says):
    service.text_limit = 20
    row = Recipient(row=2, msisdn="+447710000001", substitutions={"Name": value})
    audience = Audience(["Mobile", "Name"], "Mobile", [row], [])
    made = seen(service, "Hi $(name)", sample.of_audience(audience))
    assert made.phone.refused == says
    order = Order(service=service, audience=audience, sender=service.senders.first(), content="Hi $(name)")
    try:
        rejects = [bad.reason for bad in checks.check(order).rejects]
    except ComposeError as problem:
        rejects = [str(problem).partition("Row 2: ")[2]]
    assert rejects == [one.reason for one in made.refused_rows] == ([says] if says else [])


@pytest.mark.parametrize("spelled", ["first_name", "First Name", "FIRST-NAME"])
def test_a_fallback_is_found_however_its_placeholder_is_spelled(service, spelled):
    rows = sample.of_pasted("+447710000001", country="GB", limits=Limits())
    sources = {spelled: PlaceholderSource(fallback="friend")}
    made = seen(service, "Hi $(First name)", rows, placeholder_sources=sources)
    assert ("value", "friend") in kinds(made)
    order = written(
        service, "Hi $(First name)", rows, placeholder_sources=sources, sender=service.senders.first()
    )
    assert [line.text for line in checks.check(order).lines] == ["Hi friend"]


def test_links_are_shown_as_they_will_look_and_what_is_not_sure_is_a_range(service):
    domain = ShortLinkDomain.objects.create(service=service, region=service.region, host="go.example.test")
    made = seen(
        service, f"See https://shop.example.test/{'x' * 150} now", options=asking_for(link_domain=domain)
    )
    assert ("link", "https://go.example.test/xxxxxx") in kinds(made)
    assert (made.phone.least, made.phone.most) == (1, 2)
    assert any("filter short links" in hint for hint in made.hints)
    assert any(
        "is not used" in hint
        for hint in seen(service, "No link", options=asking_for(link_domain=domain)).hints
    )
    assert any("no click receipts" in hint for hint in seen(service, "See {{smartlink_7}}").hints)


def test_senders_that_a_country_refuses_are_named_with_the_reason(service):
    long_code = Sender.objects.create(service=service, address="12025550123", kind=SenderKind.LONG_CODE)
    rows = sample.of_pasted("+1 202 555 0143", country="GB", limits=Limits())
    order = written(service, "Hi", rows)
    made = preview.preview_of(order, rows, offered=[service.senders.first(), long_code])
    ((sender, why),) = made.refused
    assert sender.address == "SHOP"
    assert "1 to United States" in why
    assert [one for one, _ in made.doubted] == [long_code]
