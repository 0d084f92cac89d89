"""What a send is made of gets nothing past the second pair of eyes: names, small sends, rows put right, seed lists."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from portal.models import Membership, Role
from sms.audiences import packing, saved
from sms.audiences.files import Limits
from sms.compose import background
from sms.compose.create import create
from sms.models import Actor, ApprovalRules, Draft, Send, SendState
from tests.support.approvals import acting, request_of
from tests.support.partners import Partner, a_key
from tests.support.people import Cast, a_cast
from tests.support.sends import an_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    made = a_cast()
    ApprovalRules.objects.create(service=made.service, size=10, size_approvers=1, new_sender=1)
    return made


def sent_by(cast, who: str, count: int, **changes) -> Send:
    return create(an_order(cast.service, count, **changes), by=acting(cast.users[who]))


def is_held(send: Send) -> bool:
    return Send.objects.get(pk=send.pk).state == SendState.AWAITING


def test_a_sender_that_was_used_keeps_its_address_on_the_page_and_in_the_admin(cast):
    sent_by(cast, "composer", 1)
    sender = cast.service.senders.get()
    typed = {"kind": "alphanumeric", "address": "BANKALERT", "countries": "", "registration": "", "note": ""}
    page = cast["admin"].post(f"/s/shop/senders/{sender.pk}/edit/", typed)
    assert page.status_code == 422
    assert "archive SHOP" in page.content.decode()
    assert cast["admin"].post(f"/admin/sms/sender/{sender.pk}/change/", typed).status_code == 200
    sender.refresh_from_db()
    assert sender.address == "SHOP"


def test_a_domain_that_was_used_keeps_its_name(cast):
    region = cast.service.region
    domain = cast.service.link_domains.create(host="go.example.test", region=region)
    Send.objects.filter(pk=sent_by(cast, "composer", 1).pk).update(link_domain=domain)
    typed = {"host": "bank.example.test", "region": region.pk}
    assert cast["admin"].post(f"/s/shop/domains/{domain.pk}/edit/", typed).status_code == 422
    assert cast["admin"].post(f"/admin/sms/shortlinkdomain/{domain.pk}/change/", typed).status_code == 200
    domain.refresh_from_db()
    assert domain.host == "go.example.test"


def test_small_sends_of_one_day_are_one_large_one(cast):
    ApprovalRules.objects.update(new_sender=0)
    first = sent_by(cast, "composer", 9)
    second = sent_by(cast, "admin", 9)  # what the service sent counts, not only the person
    assert [is_held(one) for one in (first, second)] == [False, True]
    assert "within 24 hours" in request_of(second).rules[0]["detail"]
    Send.objects.filter(pk=first.pk).update(due_at=timezone.now() - timedelta(hours=25))
    assert not is_held(sent_by(cast, "composer", 9))


def test_made_on_different_days_for_one_day_counts_together_as_well(cast):
    ApprovalRules.objects.update(new_sender=0)
    soon = timezone.now() + timedelta(days=5)
    first = sent_by(cast, "composer", 9, due_at=soon)
    Send.objects.filter(pk=first.pk).update(created_at=timezone.now() - timedelta(days=3))
    assert not is_held(sent_by(cast, "composer", 9))
    assert is_held(sent_by(cast, "composer", 9, due_at=soon + timedelta(hours=1)))


@pytest.mark.parametrize("door", ["page", "api"])
def test_one_that_is_moved_to_the_day_of_others_counts_together_too(cast, door):
    ApprovalRules.objects.update(new_sender=0, size_approvers=0)
    partner = Partner(a_key(cast.service))
    ApprovalRules.objects.update(size_approvers=1)
    soon = timezone.now() + timedelta(days=5)
    sent_by(cast, "composer", 9, due_at=soon)
    far = sent_by(cast, "composer", 9, due_at=soon + timedelta(days=3))

    def moved_to(at: datetime) -> Any:
        if door == "page":
            typed = {"when": "later", "send_at": f"{at:%Y-%m-%dT%H:%M}"}
            return cast["composer"].post(f"/s/shop/sends/{far.pk}/move/", typed)
        headers = {"Idempotency-Key": f"{at:%d%H}"}
        return partner.call("PATCH", f"sends/{far.pk}", {"send_at": at.isoformat()}, **headers)

    refused = moved_to(soon + timedelta(hours=3))
    assert refused.status_code == 422 and "comes to 18 recipients" in refused.text
    assert Send.objects.get(pk=far.pk).due_at == far.due_at
    moved_to(soon + timedelta(days=2))
    assert Send.objects.get(pk=far.pk).due_at < far.due_at


def test_a_programs_message_to_one_number_waits_for_no_sum_and_its_larger_requests_do(cast):
    ApprovalRules.objects.update(new_sender=0)
    robot = Actor(kind="key", key="td_live_x", label="Shop", door="api")
    assert not is_held(sent_by(cast, "composer", 9))
    assert not is_held(create(an_order(cast.service, 1), by=robot))
    assert is_held(create(an_order(cast.service, 2), by=robot))


def test_who_puts_rows_right_is_an_author(cast):
    Membership.objects.create(user=cast.users["approver"], service=cast.service, role=Role.COMPOSER)
    draft = Draft.objects.create(
        service=cast.service,
        created_by=cast.users["composer"],
        sender=cast.service.senders.get(),
        text="Hello",
        country="GB",
        pasted="07700 900001\n12",
    )
    page = cast["approver"].get(f"/s/shop/drafts/{draft.pk}/rejects.csv")
    rejects = b"".join(page.streaming_content).decode("utf-8-sig").replace(",12\r", ",07700 900002\r")
    file = SimpleUploadedFile("mended.csv", rejects.encode())
    cast["approver"].post(f"/s/shop/drafts/{draft.pk}/mend/", {"mended": file})
    send = drafts_send(draft, cast)
    assert send.recipients == 2
    asked = request_of(send)
    answer = cast["approver"].post(f"/s/shop/approvals/{asked.pk}/approve/", {"seen": asked.fingerprint})
    assert answer.status_code == 422
    assert is_held(send)


def drafts_send(draft: Draft, cast) -> Send:
    ApprovalRules.objects.update(size=1)
    cast["composer"].get(f"/s/shop/drafts/{draft.pk}/review/")
    background.run(stopped=lambda: False)
    assert cast["composer"].post(f"/s/shop/drafts/{draft.pk}/review/").status_code == 302
    background.run(stopped=lambda: False)
    draft.refresh_from_db()
    return draft.send


# -- seed lists -------------------------------------------------------------------------------------------------------------


def packed(*numbers: str):
    return packing.pack_pasted("\n".join(numbers), country="GB", limits=Limits())


def test_a_test_goes_to_a_seed_list_only_as_an_approver_confirmed_it(cast):
    composer = acting(cast.users["composer"])
    seeds = saved.create(cast.service, packed("07700900001", "07700900002"), name="Seeds", by=composer)
    draft = Draft.objects.create(service=cast.service, sender=cast.service.senders.get(), text="Hello")
    own, test = f"/s/shop/audiences/{seeds.pk}/seed-list/", f"/s/shop/drafts/{draft.pk}/test/"
    cast["composer"].post(own)
    Membership.objects.create(user=cast.users["composer"], service=cast.service, role=Role.APPROVER)

    def tried() -> int:
        return cast["composer"].post(test, {"to": seeds.pk, "row": ""}).status_code

    assert tried() == 422
    cast["composer"].post(f"{own}confirm/")  # who made it
    cast["auditor"].post(f"{own}confirm/")
    assert tried() == 422
    cast["approver"].post(f"{own}confirm/")
    assert tried() == 302
    saved.replace(seeds, packed("07700900003"), by=composer)
    assert tried() == 422
    assert "confirm" in cast["composer"].post(test, {"to": seeds.pk, "row": ""}).content.decode()
    cast["approver"].post(f"{own}confirm/")
    assert tried() == 302
    cast["composer"].post(own)
    cast["composer"].post(own)  # no seed list, and one again
    assert tried() == 422
