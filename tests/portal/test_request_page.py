"""What an approver is shown before an answer, and what the author finds after a no."""

import html
import re

import pytest

from portal.models import User
from sms.models import ApprovalRequest, ApprovalRules, Draft, Price, Send, SendState, Service, Upload
from tests.support.people import Cast, a_cast

pytestmark = [pytest.mark.django_db, pytest.mark.once]
FILE = (
    b"number,name\n+447700900123,Ann\n+447700900124,Bo\n+447700900123,Ann again\n12,Nobody\n+33612345678,Cy\n"
)


@pytest.fixture
def cast() -> Cast:
    made = a_cast()
    ApprovalRules.objects.create(service=made.service, size=1, size_approvers=1)
    Service.objects.filter(pk=made.service.pk).update(rate=1)
    return made


def text_of(response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def asked_of_a_file(cast) -> ApprovalRequest:
    composer = User.objects.get(email="composer@example.test")
    draft = Draft.objects.create(
        service=cast.service,
        sender=cast.service.senders.get(),
        text="Hello $(name)",
        upload=Upload.keep(FILE, service=cast.service, name="june.csv", user=composer),
        created_by=composer,
    )
    answer = cast["composer"].post(f"/s/shop/drafts/{draft.pk}/review/")
    assert answer.status_code == 302
    return ApprovalRequest.objects.get()


def test_cost_file_rows_left_out_and_time_stand_beside_the_question(cast):
    for country, amount in (("GB", "0.04"), ("FR", "0.1")):
        Price.objects.create(service=cast.service, country=country, amount=amount, currency="GBP")
    request = asked_of_a_file(cast)
    page = cast["approver"].get(f"/s/shop/approvals/{request.pk}/")
    said = text_of(page)
    assert "Cost 0.18 GBP" in said
    assert "Takes 3 s" in said
    assert "Approved now, it begins on" in said
    assert "june.csv, uploaded on" in said
    assert "by composer@example.test" in said
    assert "2 rows left out" in said
    assert "4 The same number is already in row 2" in said
    assert "12" not in re.findall(r"<td[^>]*>([^<]*)</td>", page.content.decode()), "what stood there"
    whole = text_of(cast["auditor"].get(f"/s/shop/approvals/{request.pk}/"))
    assert "What stands there" in whole
    assert re.search(r"\b5 12 It has only 2 digits", whole)
    assert "not known here" not in said


def test_an_approver_steps_through_the_messages_by_plain_links(cast):
    request = asked_of_a_file(cast)
    address = f"/s/shop/approvals/{request.pk}/"

    def at(query: str) -> tuple[str, dict[str, str]]:
        content = cast["approver"].get(f"{address}{query}").content.decode()
        links = re.findall(r'id="step-\d" href="([^"]+)#phone"[^>]*>([^<]+)<', content)
        (shown,) = re.findall(r">(Hello [^<]+)<", content.split('id="phone"')[1])
        return shown, {label: query for query, label in links}

    shown, links = at("")
    assert shown == "Hello Ann"
    assert "Previous" not in links
    seen = [shown]
    while "Next" in links:
        shown, links = at(links["Next"])
        seen.append(shown)
    assert seen == ["Hello Ann", "Hello Bo", "Hello Cy"]
    assert at(links["First"])[0] == "Hello Ann"
    assert at(links["Previous"])[0] == "Hello Bo"
    assert at("?message=99999999999999999999")[0] == "Hello Ann"


def test_after_a_no_the_author_finds_the_reason_and_the_draft_as_it_was(cast):
    request = asked_of_a_file(cast)
    cast["approver"].post(
        f"/s/shop/approvals/{request.pk}/reject/", {"seen": request.fingerprint, "comment": "Wrong day."}
    )
    draft, send = Draft.objects.get(), Send.objects.get()
    assert (send.state, draft.send) == (SendState.CANCELLED, None)
    to_change = f'href="/s/shop/drafts/{draft.pk}/">Change and ask again<'
    for page in (f"/s/shop/approvals/{request.pk}/", f"/s/shop/sends/{send.pk}/"):
        assert to_change in cast["composer"].get(page).content.decode(), page
        assert "Change and ask again" not in text_of(cast["approver"].get(page)), page
    assert "Rejected: see why" in text_of(cast["composer"].get("/s/shop/"))
    for page in ("/s/shop/drafts/", f"/s/shop/drafts/{draft.pk}/"):
        assert "Rejected by approver@example.test: “Wrong day.”" in text_of(cast["composer"].get(page)), page
    assert "not approved" in text_of(cast["composer"].get(f"/s/shop/approvals/{request.pk}/"))
    opened = cast["composer"].get(f"/s/shop/drafts/{draft.pk}/").content.decode()
    assert "Hello $(name)</textarea>" in opened
    assert "june.csv" in opened
    draft.text = "Good day $(name)"
    draft.save()
    cast["composer"].post(f"/s/shop/drafts/{draft.pk}/review/")
    again = ApprovalRequest.objects.latest("pk")
    assert again.previous == request
    assert "Change and ask again" not in text_of(cast["composer"].get(f"/s/shop/approvals/{request.pk}/"))


def test_lists_are_read_without_buttons_by_those_who_decide_nothing(cast):
    request = asked_of_a_file(cast)
    Draft.objects.create(service=cast.service, name="Not sent yet", text="Soon")
    assert "Your answer" in text_of(cast["approver"].get(f"/s/shop/approvals/{request.pk}/"))
    for who in ("auditor", "composer"):
        listed = text_of(cast[who].get("/s/shop/approvals/"))
        assert request.send.name in listed, who
        assert "Needs me" not in listed, who
        opened = cast[who].get(f"/s/shop/approvals/{request.pk}/").content.decode()
        assert "Your answer" not in opened, who
        assert "/approve/" not in opened, who
    for who in ("auditor", "approver"):
        drafts = cast[who].get("/s/shop/drafts/").content.decode()
        assert "Not sent yet" in drafts, who
        for part in (
            "/s/shop/compose/",
            'name="row"',
            "/s/shop/bulk/",
            f"/s/shop/drafts/{Draft.objects.get(text='Soon').pk}/",
        ):
            assert part not in drafts, (who, part)
        assert cast[who].get(f"/s/shop/drafts/{Draft.objects.get(text='Soon').pk}/").status_code == 403
