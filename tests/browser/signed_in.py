"""Signing in by hand in a browser, and requests for approval to look at."""

from sms.audiences.files import Limits
from sms.compose import drafts
from sms.models import ApprovalRequest, ApprovalRules, Draft
from sms.sends import answers
from tests.support.sends import BY


def sign_in(page, live_server) -> None:
    page.goto(f"{live_server.url}/accounts/login/")
    page.get_by_label("E-mail address").fill("ada@example.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/s/shop/")


def a_request_with_changes(service) -> ApprovalRequest:
    """A send that was taken back, changed and asked about again; the rule is gone afterwards."""
    rules = ApprovalRules.objects.create(service=service, size=1, size_approvers=2)
    draft = Draft.objects.create(
        service=service,
        sender=service.senders.get(),
        text="Now 20 % off",
        pasted="07700 900001\n07700 900002",
    )
    first = drafts.send_draft(draft, by=BY, limits=Limits())
    answers.take_back(first, by=BY)
    draft.refresh_from_db()
    draft.text, draft.pasted = "Now 30 % off, until midnight", "07700 900002\n07700 900003"
    draft.save()
    send = drafts.send_draft(draft, by=BY, limits=Limits())
    rules.delete()
    return send.approvals.get()


PASSWORD = "correct horse battery"
