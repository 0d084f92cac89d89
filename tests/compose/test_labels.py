"""Labels: how they are written, who may not have them, and that every door gives them to the send."""

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from sms import reports
from sms.audiences.files import Limits
from sms.compose import checks, drafts, labels
from sms.compose.errors import ComposeError
from sms.models import Draft, FactProfile, Label, Send
from sms.reports import facts
from tests.support.sends import a_send, a_service, an_order

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Invoice", "invoice"),
        ("  Spring   Sale ", "spring-sale"),
        ("ÉTÉ", "été"),
        ("ﬁle", "file"),  # one character that is two letters
        ("v2.1_b", "v2.1_b"),
        ("2026-03", "2026-03"),
    ],
)
def test_a_label_is_kept_in_one_way_of_writing(written, kept):
    assert labels.normalized(written) == kept


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (" ", "A label is empty"),
        ("x" * 31, "longer than 30"),
        ("a,b", "other characters than letters"),
        ("-a", "does not begin with"),
        ("tel-447700900001", "looks like a phone number"),
        ("07700-900-001", "looks like a phone number"),
        ("None", "stands for no label"),
    ],
)
def test_what_cannot_be_a_label_says_why(written, said):
    with pytest.raises(labels.BadLabel, match=said):
        labels.normalized(written)


@given(st.text(max_size=20))
def test_a_kept_label_stays_as_it_is_and_finds_its_way_through_an_address(written):
    try:
        word = labels.normalized(written)
    except labels.BadLabel:
        return
    assert labels.normalized(word) == word
    assert labels.split(f"{word}, {word}") == [word, word]


def refusals(**changes) -> dict[str, str]:
    with pytest.raises(ComposeError) as caught:
        checks.check(an_order(**changes))
    return {problem.field: problem.text for problem in caught.value.problems}


def test_too_many_labels_are_refused_of_a_send_and_of_a_service(monkeypatch):
    shop = a_service()
    assert "11 labels" in refusals(service=shop, labels=[f"w{n}" for n in range(11)])["labels"]
    a_send(shop, labels=["a", "b"])
    monkeypatch.setattr(labels, "MOST_OF_A_SERVICE", 2)
    assert "“c” would be one more" in refusals(service=shop, labels=["a", "c"])["labels"]
    assert a_send(shop, labels=["B", "a", "b"]).words == ["a", "b"]


def test_services_have_their_labels_for_themselves():
    shop, other = a_service(), a_service(slug="other")
    mine = a_send(shop, labels=["sale"])
    a_send(other, labels=["sale"])
    assert list(labels.having(Send.objects.filter(service=shop), " SALE ")) == [mine]
    assert not labels.having(Send.objects.all(), "a,b").exists()
    assert (labels.labels_of(shop), Label.objects.count()) == (["sale"], 2)


def test_draft_and_command_give_their_labels(tmp_path):
    shop = a_service()
    draft = Draft.objects.create(
        service=shop,
        sender=shop.senders.get(),
        text="Hi",
        pasted="+447710000001",
        labels="Sale; News,\nsale",
    )
    order = drafts.order_of_draft(draft, limits=Limits())
    assert checks.check(order)
    assert labels.normalized_set(order.labels) == ("news", "sale")
    people = tmp_path / "people.csv"
    people.write_text("number\n+447710000001\n")
    call_command(
        "send",
        *("--service=shop", "--sender=SHOP", "--text=Hi", f"--audience={people}"),
        *("--label=Spring sale", "--label=news,vip"),
    )
    assert Send.objects.get().words == ["news", "spring-sale", "vip"]


def test_a_send_counts_in_the_line_of_each_of_its_labels_and_once_in_the_sum():
    shop = a_service()
    a_send(shop, 3, labels=["b", "a"])
    a_send(shop, 2, labels=["a", "b"])  # the same profile, whatever the order
    a_send(shop, 4, labels=["b"])
    a_send(shop, 5)
    facts.fold()
    now = Send.objects.order_by("-pk").values_list("due_at", flat=True)[0].date()
    made = reports.report(reports.ReportQuery(shop.pk, shop.facts_clock, now, now, by="label"))
    assert {line.value: line.figures.messages for line in made.lines} == {"a": 5, "b": 9, "none": 5}
    assert made.total.messages == 14
    assert set(FactProfile.objects.values_list("labels", flat=True)) == {"a,b", "b", ""}
    for value, count in (("a", 5), ("b", 9), ("none", 5), ("c", 0)):
        filtered = reports.report(
            reports.ReportQuery(shop.pk, shop.facts_clock, now, now, by="sender", filters={"label": value})
        )
        assert filtered.total.messages == count
