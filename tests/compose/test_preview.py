"""What is shown while one writes is what would be sent: marks, seams, real rows longest first, and figures that say what they rest on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.audiences import sample
from sms.audiences.files import Audience, Limits, Recipient
from sms.compose import preview
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
        Recipient(row=at + 2, msisdn=f"+44771{at:07d}", substitutions={"Name": "x" * (at % 40), **cells})
        for at in range(count)
    ]
    return sample.of_audience(Audience(["Mobile", "Name", *cells], "Mobile", rows, []))


def seen(service, written: str, of: sample.AudienceSample = sample.EMPTY, **changes) -> preview.Preview:
    return preview.preview_of(preview.DraftText(service=service, text=written, **changes), of)


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
    assert made.unfilled == ["nobody"]
    assert [(one.char, one.code, one.instead, one.column) for one in made.odd] == [
        ("’", "U+2019", "'", ""),
        ("Ż", "U+017B", "Z", "this row"),
    ]
    assert "'" in made.replaced


def test_rows_are_stepped_through_longest_first_and_no_further_than_the_last(service):
    rows = people(60)
    first, last = seen(service, "Hi $(name)", rows), seen(service, "Hi $(name)", rows, at=10_000)
    assert (first.phone.row, first.at, first.steps) == (41, 0, 60)
    assert (last.phone.row, last.at) == (43, 59), "a placeholder is longer than a name of one letter"


def test_figures_of_few_rows_are_exact_and_of_many_an_estimate_that_the_count_confirms(service):
    few = people(200)
    written = preview.DraftText(service=service, text="Hi $(name) " + "x" * 140)
    exact = preview.preview_of(written, few).totals
    assert exact.exact
    assert exact == preview.count(written, few, few.rows)
    many = people(5_000)
    assert not many.whole
    estimate, counted = preview.preview_of(written, many).totals, preview.count(written, many, _all(5_000))
    assert not estimate.exact
    assert estimate.worst == counted.worst == 2, "the longest row is in the sample"
    assert abs(estimate.most - counted.most) < 0.05 * counted.most


def _all(count: int) -> list[Recipient]:
    return [
        Recipient(row=at + 2, msisdn=f"+44771{at:07d}", substitutions={"Name": "x" * (at % 40)})
        for at in range(count)
    ]


def test_links_are_shown_as_they_will_look_and_what_is_not_sure_is_a_range(service):
    domain = ShortLinkDomain.objects.create(service=service, region=service.region, host="go.example.test")
    made = seen(service, f"See https://shop.example.test/{'x' * 150} now", domain=domain)
    assert ("link", "https://go.example.test/xxxxxx") in kinds(made)
    assert (made.phone.least, made.phone.most) == (1, 2)
    assert any("filter short links" in hint for hint in made.hints)
    assert any("is not used" in hint for hint in seen(service, "No link", domain=domain).hints)
    assert any("no click receipts" in hint for hint in seen(service, "See {{smartlink_7}}").hints)


def test_senders_that_a_country_refuses_are_named_with_the_reason(service):
    long_code = Sender.objects.create(service=service, address="12025550123", kind=SenderKind.LONG_CODE)
    rows = sample.of_pasted("+1 202 555 0143", country="GB", limits=Limits())
    made = preview.preview_of(
        preview.DraftText(service=service, text="Hi"), rows, offered=[service.senders.first(), long_code]
    )
    ((sender, why),) = made.refused
    assert sender.address == "SHOP"
    assert "1 to US" in why
    assert [one for one, _ in made.doubted] == [long_code]
