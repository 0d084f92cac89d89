"""A preview compared as a whole: every run on the phone, every figure, every sentence of advice."""

from dataclasses import asdict

import pytest
from django.utils import timezone

from sms.audiences import sample
from sms.audiences.files import Audience, Recipient
from sms.compose import preview
from sms.compose.options import asking_for
from sms.compose.order import Order
from sms.compose.placeholders import PlaceholderSource
from sms.compose.resolved_order import ResolvedOrder, resolve
from sms.compose.survey import fold
from sms.models import ShortLinkDomain
from tests.support.sends import a_service

pytestmark = pytest.mark.django_db


def rows_of(*names: str) -> sample.AudienceSample:
    rows = [
        Recipient(row=at, msisdn=f"+44771000{at:04d}", substitutions={"Name": name})
        for at, name in enumerate(names, start=2)
    ]
    return sample.of_audience(Audience(["Mobile", "Name"], "Mobile", rows, []))


def order_of(
    written: str, rows: sample.AudienceSample, service=None, domain=None, **changes
) -> ResolvedOrder:
    options = asking_for(link_domain=domain)
    return resolve(
        Order(service=service or a_service(), audience=rows, content=written, options=options, **changes)
    )


def seen(written: str, names: tuple[str, ...] = (), *, at: int = 0, **changes) -> preview.Preview:
    rows = rows_of(*names)
    return preview.preview_of(order_of(written, rows, **changes), rows, at=at)


def bits(made: preview.Preview) -> list[tuple[str, str, str]]:
    return [(bit.kind, bit.shown, bit.says) for bit in made.phone.bits]


def test_an_empty_text_has_no_phone_and_no_advice():
    made = seen("", ("Ann",))
    assert (made.phone, made.totals, made.at, made.steps) == (None, None, 0, 1)
    assert (list(made.odd), made.replaced, made.saves, list(made.hints)) == ([], "", 0, [])


def test_a_row_on_the_phone_with_its_figures():
    made = seen("Hi $(name), it’s $(mobile)$(x)", ("Ann", "Christopher"))
    assert (made.at, made.steps, made.totals) == (0, 2, None)
    phone = asdict(made.phone)
    assert bits(made) == [
        ("text", "Hi ", ""),
        ("value", "Christopher", "From $(name)"),
        ("text", ", it", ""),
        ("culprit", "’", "Right single quotation mark, U+2019, needs Unicode, could be “'”"),
        ("text", "s ", ""),
        ("value", "+447*******03", "From $(mobile)"),
        ("placeholder", "$(x)", "Nothing fills $(x)"),
    ]
    del phone["bits"]
    assert phone == {
        "row": 3, "msisdn": "+447710000003", "encoding": phone["encoding"], "characters": 38, "room": 32,
        "least": 1, "most": 1, "refused": "This row has nothing for $(x).",
    }  # fmt: skip
    assert [asdict(one) for one in made.odd] == [
        {"char": "’", "name": "Right single quotation mark", "code": "U+2019", "instead": "'", "removable": False,
         "count": 1, "column": ""},
    ]  # fmt: skip
    assert (made.replaced, made.saves) == ("Hi $(name), it's $(mobile)$(x)", 0)
    made = seen("Hi $(name), it’s $(mobile)", ("Ann", "Christopher"), service=_service())
    assert asdict(made.totals) == {
        "rows": 2, "worst": 1, "typical": 1, "least": 2, "most": 2, "exact": True, "looked_at": 2,
    }  # fmt: skip


def test_stepping_goes_from_the_longest_to_the_shortest_and_stays_within():
    names = ("Ann", "Christopher", "Bo", "Eve")
    shown = [seen("Hi $(name)", names, service=None if at == -1 else _service(), at=at) for at in (-1,)]
    assert shown[0].phone.row == 3
    service = _service()
    found = [seen("Hi $(name)", names, service=service, at=at) for at in (0, 1, 2, 3, 4)]
    assert [(one.phone.row, one.at) for one in found] == [(3, 0), (2, 1), (5, 2), (4, 3), (4, 3)]


def _service():
    from sms.models import Service

    return Service.objects.first() or a_service()


def test_segments_begin_where_they_begin():
    made = seen("x" * 161)
    assert bits(made) == [
        ("text", "x" * 153, ""),
        ("break", "2", "Segment 2 begins here"),
        ("text", "x" * 8, ""),
    ]
    assert (made.phone.row, made.phone.msisdn, made.phone.most, made.steps) == (0, "", 2, 0)
    made = seen("x" * 306 + "y", service=_service())
    assert [one for one in bits(made) if one[0] == "break"] == [
        ("break", "2", "Segment 2 begins here"),
        ("break", "3", "Segment 3 begins here"),
    ]


def test_what_could_be_plain_is_counted_and_what_it_saves():
    made = seen("“" + "x" * 70 + "”“")
    assert [(one.char, one.count, one.instead) for one in made.odd] == [("“", 2, '"'), ("”", 1, '"')]
    assert made.replaced == '"' + "x" * 70 + '""'
    assert made.saves == 1
    hidden = seen("a\u200bb", service=_service())
    assert [(one.removable, one.instead) for one in hidden.odd] == [(True, "")]
    assert bits(hidden)[1] == ("culprit", "\u200b", "Zero width space, U+200B, needs Unicode, could go")
    only = seen("日", service=_service())
    assert bits(only)[0][2].endswith("U+65E5, needs Unicode")
    assert only.replaced == "" or only.replaced != "日"


def test_links_and_smartlinks_are_marked_and_values_before_them_only():
    service = a_service()
    domain = ShortLinkDomain.objects.create(service=service, region=service.region, host="go.example.test")
    made = seen(
        "Hi $(name) https://shop.test/a {{smartlink_7}} $(name)", ("Ann",), service=service, domain=domain
    )
    assert bits(made) == [
        ("text", "Hi ", ""),
        ("value", "Ann", "From $(name)"),
        ("text", " ", ""),
        (
            "link",
            "https://go.example.test/xxxxxx",
            "Webex Connect makes a link like this of https://shop.test/a",
        ),
        ("text", " ", ""),
        ("link", "{{smartlink_7}}", "Webex Connect puts the smartlink here; its clicks cannot be measured"),
        ("text", " Ann", ""),
    ]
    plain = seen("See https://shop.test/a $(name)", ("Ann",), service=service)
    assert bits(plain) == [("text", "See https://shop.test/a ", ""), ("value", "Ann", "From $(name)")]


@pytest.mark.parametrize(
    ("written", "domain", "limit", "advice"),
    [
        ("   ", False, 1024, []),
        ("No link", True, 1024, ["There is no https:// link in the text, so go.example.test is not used."]),
        ("{{smartlink_7}}", True, 1024, ["Smartlinks give no click receipts, so their clicks cannot be measured."]),
        ("x" * 450, False, 1024, []),
        ("x" * 451, False, 1024,
         ["The longest text has 451 characters; Webex Connect advises to stay below 450."]),
        ("x" * 200, False, 200, []),
        ("x" * 201, False, 200, ["201 characters are too many: this service allows 200."]),
    ],
)  # fmt: skip
def test_advice(written, domain, limit, advice):
    service = a_service(text_limit=limit)
    host = ShortLinkDomain.objects.create(service=service, region=service.region, host="go.example.test")
    made = seen(written, service=service, domain=host if domain else None)
    wanted = [one for one in made.hints if one in advice or "segment" not in one.lower()]
    assert [one for one in wanted if one in advice] == advice
    for sentence in ("is not used", "click receipts", "advises to stay", "are too many"):
        assert any(sentence in one for one in made.hints) == any(sentence in one for one in advice), sentence


def test_a_fallback_stands_in_and_what_was_chosen_for_each_placeholder_is_known():
    service = a_service()
    chosen = {"who": PlaceholderSource(fallback="friend")}
    order = order_of("Hi $(who) $(name) $(x)", rows_of(""), service, placeholder_sources=chosen)
    made = preview.preview_of(order, rows_of(""))
    assert [(kind, shown) for kind, shown, _ in bits(made)] == [
        ("text", "Hi "),
        ("value", "friend"),
        ("text", " "),
        ("placeholder", "$(name)"),
        ("text", " "),
        ("placeholder", "$(x)"),
    ]
    assert order.unfilled == ["x"]
    assert [(one.name, one.heading, one.fallback, one.chosen) for one in order.placeholders] == [
        ("who", "", "friend", chosen["who"]),
        ("name", "Name", "", PlaceholderSource()),
        ("x", "", "", PlaceholderSource()),
    ]


@pytest.mark.parametrize(
    ("lengths", "typical", "worst"),
    [((), 0, 0), ((1,), 1, 1), ((1, 161), 2, 2), ((1, 1, 161), 1, 2), ((1, 161, 307), 2, 3), ((1, 161, 161, 307), 2, 3)],
)  # fmt: skip
def test_a_count_of_every_row(lengths, typical, worst):
    rows = rows_of(*("x" * length for length in lengths))
    found = preview.totals_of_all(fold(order_of("$(name)", rows), now=timezone.now()).so_far())
    segments = sum(1 if length <= 160 else 2 if length <= 306 else 3 for length in lengths)
    assert asdict(found) == {
        "rows": len(lengths), "worst": worst, "typical": typical, "least": segments, "most": segments,
        "exact": True, "looked_at": len(lengths),
    }  # fmt: skip
