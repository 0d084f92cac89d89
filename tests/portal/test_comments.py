"""Comments on drafts and sends over HTTP: who reads and writes them, whom they ask to look, and what becomes of them."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from portal.models import Membership
from sms.compliance.retention import other_rows
from sms.compose.drafts.discard import forget
from sms.models import AskedToLook, AuditEvent, Comment, Draft, Notice, Send
from sms.sends.cancel import cancel
from tests.support.people import a_cast, a_person, signed_in
from tests.support.sends import BY, a_send, a_service

pytestmark = pytest.mark.django_db
COLLEAGUE = "bea.stone@example.test"


@pytest.fixture
def service():
    return a_service()


@pytest.fixture
def ada(service):
    return signed_in("ada@example.test", service, "composer", first_name="Ada", last_name="Ames")


@pytest.fixture
def bea(service):
    return signed_in(COLLEAGUE, service, "composer")


def a_draft(service, **fields) -> Draft:
    given = {"name": "Sale", "text": "Hello", "pasted": "07700 900001", "sender": service.senders.first()}
    return Draft.objects.create(service=service, **given | fields)


def comment(client, at: str, text: str, **more):
    return client.post(f"/s/shop/{at}/comment/", {"comment": text, "comment_begun": uuid4(), **more})


def test_a_draft_is_commented_a_colleague_looks_and_the_send_keeps_what_was_said(service, ada, bea):
    draft, page = a_draft(service), ada.get
    at = f"drafts/{draft.pk}"
    said = "Is <b>this</b> price right, @bea.stone? Ask +44 7700 900123."
    answer = comment(ada, at, said, back="review")
    assert answer["Location"] == f"/s/shop/{at}/review/#comments"
    shown = page(f"/s/shop/{at}/review/").text
    assert "&lt;b&gt;this&lt;/b&gt;" in shown and "900123" not in shown and "is asked to look" in shown

    told = Notice.objects.get()
    assert (told.kind, told.page, told.page_id, told.anchor) == ("mention", "draft", draft.pk, "comments")
    assert told.says == "ada@example.test asks you to look at the draft “Sale”." and told.seen_at is None
    home = bea.get("/s/shop/").text
    assert "Ada Ames asks you to look" in home and f"/s/shop/{at}/#comments" in home
    assert "asks you to look" not in ada.get("/s/shop/").text
    assert "asked you to look at this" in bea.get(f"/s/shop/{at}/").text

    # a comment with the form of the compose page saves the draft as well, and says that they looked
    typed = bea.get(f"/s/shop/{at}/").context["form"]
    form = {one.html_name: one.value() for one in typed if one.value() not in (None, False)}
    form |= {"text": "Hello there", "add_comment": "1", "comment": "It is.", "comment_begun": uuid4()}
    assert bea.post(f"/s/shop/{at}/", form)["Location"].endswith("#comments")
    draft.refresh_from_db()
    told.refresh_from_db()
    assert draft.text == "Hello there" and told.seen_at, "it is no longer asked for"
    assert "asks you to look" not in bea.get("/s/shop/").text

    sent = ada.post(f"/s/shop/{at}/review/", {"revision": draft.revision})
    send = Send.objects.get()
    assert sent["Location"] == f"/s/shop/sends/{send.pk}/"
    shown = page(sent["Location"]).text
    assert "It is." in shown and "looked at it on" in shown
    assert comment(bea, at, "Late, from the old page.")["Location"] == f"/s/shop/sends/{send.pk}/#comments"
    assert Comment.objects.filter(send=send, draft=draft).count() == 3
    rows = AuditEvent.objects.filter(act="comment.added").order_by("pk")
    assert [row.details["asked"] for row in rows] == [[COLLEAGUE], [], []]
    assert all("price" not in str(row.details) for row in rows)


def test_a_press_counts_once_and_what_cannot_be_stored_stays_typed(service, ada):
    send, begun = a_send(service), uuid4()
    for _ in range(2):
        answer = comment(ada, f"sends/{send.pk}", "Once", comment_begun=begun)
        assert answer.status_code == 302
    assert Comment.objects.count() == 1
    for text, look, words in (
        ("  ", "", "Write what you want to say"),
        ("x" * 2001, "", "at most 2000"),
        ("Fine", "999", "Select a valid choice"),
    ):
        answer = comment(ada, f"sends/{send.pk}", text, comment_asks=look)
        assert answer.status_code == 422 and words in answer.text and text.strip() in answer.text
    assert Comment.objects.count() == 1
    assert ada.get(f"/s/shop/sends/{send.pk}/comment/").status_code == 200, "signing in leads back here"


def test_the_token_of_a_page_refuses_neither_a_colleague_nor_the_same_person_elsewhere(service, ada, bea):
    send, other, draft, begun = a_send(service), a_send(service), a_draft(service), uuid4()
    for client, at in (
        (ada, f"sends/{send.pk}"),
        (bea, f"sends/{send.pk}"),
        (ada, f"sends/{other.pk}"),
        (ada, f"drafts/{draft.pk}"),
        (bea, f"drafts/{draft.pk}"),
    ):
        for _ in range(2):
            assert comment(client, at, "Mine", comment_begun=begun).status_code == 302
    said = Comment.objects.order_by("pk").values_list("label", "send", "draft")
    assert [(label.partition("@")[0], *where) for label, *where in said] == [
        ("ada", send.pk, None),
        ("bea.stone", send.pk, None),
        ("ada", other.pk, None),
        ("ada", None, draft.pk),
        ("bea.stone", None, draft.pk),
    ]


def test_only_people_who_can_open_the_page_are_asked():
    cast = a_cast()
    draft, send = a_draft(cast.service), a_send(cast.service)
    stranger = cast.users["foreigner"]
    page = cast["composer"].get(f"/s/shop/drafts/{draft.pk}/")
    offered = [one.email for one in page.context["comments"].form.people]
    assert offered == ["admin@example.test"]
    page = cast["composer"].get(f"/s/shop/sends/{send.pk}/")
    offered = [one.email for one in page.context["comments"].form.people]
    assert offered == ["admin@example.test", "approver@example.test", "auditor@example.test"]
    at = f"sends/{send.pk}"
    assert comment(cast["composer"], at, "Look", comment_asks=stranger.pk).status_code == 422
    comment(cast["composer"], at, f"@{stranger.email} and @nobody and @composer")
    assert not AskedToLook.objects.exists()
    comment(cast["auditor"], at, "See", comment_asks=cast.users["approver"].pk)
    assert cast["approver"].post(f"/s/shop/{at}/looked-at/").status_code == 302
    assert AskedToLook.objects.get().done_at and AuditEvent.objects.filter(act="comment.looked_at").exists()
    # a role that went takes the question from their home, and the page from them
    comment(cast["admin"], f"drafts/{draft.pk}", "Look", comment_asks=cast.users["composer"].pk)
    assert "asks you to look" in cast["composer"].get("/s/shop/").text
    Membership.objects.filter(user=cast.users["composer"]).update(role="auditor")
    assert "asks you to look" not in cast["composer"].get("/s/shop/").text


def test_ones_own_is_edited_and_withdrawn_and_an_admin_withdraws_any(service, ada, bea):
    send = a_send(service)
    comment(ada, f"sends/{send.pk}", "Wrong", comment_asks="")
    made = Comment.objects.get()
    edit, withdraw = f"/s/shop/comments/{made.pk}/edit/", f"/s/shop/comments/{made.pk}/withdraw/"
    for answer in (bea.get(edit), bea.post(edit, {"comment": "Mine"}), bea.post(withdraw)):
        assert answer["Location"] == f"/s/shop/sends/{send.pk}/#comments"
    made.refresh_from_db()
    assert made.text == "Wrong"
    assert ada.post(edit, {"comment": "Right, @bea.stone"}).status_code == 302
    assert ada.post(edit, {"comment": ""}).status_code == 422
    made.refresh_from_db()
    assert made.text == "Right, @bea.stone" and made.edited_at and made.asked.get().user.email == COLLEAGUE
    admin = signed_in("admin@example.test", service, "admin")
    assert admin.post(withdraw).status_code == admin.post(withdraw).status_code == 302
    made.refresh_from_db()
    assert made.text == "" and made.withdrawn_at and not AskedToLook.objects.exists()
    shown = ada.get(f"/s/shop/sends/{send.pk}/").text
    assert "This comment was withdrawn." in shown and "Right" not in shown
    assert ada.post(edit, {"comment": "Again"}).status_code == 302
    acts = AuditEvent.objects.filter(noun="comment").order_by("pk").values_list("act", flat=True)
    assert list(acts) == ["comment.added", "comment.edited", "comment.withdrawn"]


def test_what_was_taken_back_and_discarded_keeps_its_comments_at_the_send(service, ada):
    draft = a_draft(service, send_at=timezone.now() + timedelta(days=1))
    comment(ada, f"drafts/{draft.pk}", "About the draft")
    ada.post(f"/s/shop/drafts/{draft.pk}/review/", {"revision": draft.revision})
    send = Send.objects.get()
    comment(ada, f"sends/{send.pk}", "About the send")
    ada.post(f"/s/shop/sends/{send.pk}/take-back/")
    shown = ada.get(f"/s/shop/drafts/{draft.pk}/").text
    assert "About the draft" in shown and "About the send" in shown
    comment(ada, f"drafts/{draft.pk}", "Only here")
    assert ada.post(f"/s/shop/drafts/{draft.pk}/discard/").status_code == 302
    assert forget(timezone.now() + timedelta(days=31)) == 1
    kept = Comment.objects.filter(send=send, draft=None).values_list("text", flat=True)
    assert sorted(kept) == ["About the draft", "About the send"] and Comment.objects.count() == 2


def test_their_text_goes_when_its_days_are_over(service, ada):
    draft, over, due = a_draft(service), a_send(service), a_send(service)
    cancel(over, by=BY)
    for at in (f"drafts/{draft.pk}", f"sends/{over.pk}", f"sends/{due.pk}"):
        comment(ada, at, f"About {at}")
    comment(ada, f"sends/{over.pk}", "Fresh")
    service.keep_bodies, service.keep_numbers = 30, 60
    old = timezone.now() - timedelta(days=31)
    Comment.objects.exclude(text="Fresh").update(at=old)
    assert other_rows.forecast(service, now=timezone.now())["comments"] == 2
    assert other_rows.comments(service, timezone.now()) == 2
    left = Comment.objects.exclude(text="").values_list("text", flat=True)
    assert sorted(left) == [f"About sends/{due.pk}", "Fresh"], "what is not over yet keeps its own"
    assert other_rows.comments(service, timezone.now()) == 0


def test_an_approver_reads_and_answers_them_beside_what_is_approved(service, ada):
    from sms.models import ApprovalRules

    ApprovalRules.objects.create(service=service, size=1, size_approvers=1)
    a_person("other@example.test", service, "approver")
    approver = signed_in("approver@example.test", service, "approver")
    send = a_send(service)
    asked = send.approvals.get()
    comment(ada, f"sends/{send.pk}", "The price is the new one.")
    at = f"/s/shop/approvals/{asked.pk}/"
    assert "The price is the new one." in approver.get(at).text
    assert comment(approver, f"sends/{send.pk}", "Good.", back="approval")["Location"] == f"{at}#comments"
    approver.post(f"{at}approve/", {"seen": asked.fingerprint})
    asked.refresh_from_db()
    assert asked.state == "approved", "comments are no part of what is approved"
