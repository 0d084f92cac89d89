"""What destroys, and what sends at once, asks first and says how much; a discarded draft can be brought back."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from portal.access import ACTS
from portal.costly_pages import CostlyPages
from portal.views.confirm_base import ConfirmView
from sms.compose.drafts.discard import forget
from sms.models import AuditEvent, Draft, Send
from tests.support.every_page import SERVICE_PAGES, address, an_approval
from tests.support.people import Cast, a_cast
from tests.support.sends import a_send

pytestmark = pytest.mark.django_db
DESTROYS = re.compile(
    r"(^|_)(cancel|stop|discard|revoke|remove|retire|withdraw|delete|end|now|erase|unbind|archive_in_use)$"
)
# a press takes it back, or the form itself asks (a tick, numbers and a reason)
WITHOUT_QUESTION = {"draft_stop", "number_erase", "audience_erase"}

NUMBER = re.compile(r"\d|\b(no|none|nothing)\b", re.IGNORECASE)
# of one thing, which the question names
OF_ONE_THING = {
    *("message_reveal", "person_reveal", "step_confirm", "waiting_change_confirm", "waiting_change_decline"),
    *("person_reset", "invitation_withdraw", "receipts_retire", "tenant_probe_end"),
}
# every other press of a service, and why it asks nothing
HARMLESS = {
    "writes or marks something that the same page changes back": """
        draft_save compose_save draft_leave_out draft_bring_back draft_looked_at send_looked_at filter_save
        columns_choose reply_assign reply_done reply_reopen audience_rename audience_seed_list callback_change
        prices_change holidays_keep recurring_change person_consent tenant_probe_switches tenant_probe_keep
        tenant_probe_answer tenant_probe_skip step_take_back send_keep send_keep_no_more""",
    "a press on the same page takes it back": """
        send_pause send_resume recurring_pause recurring_resume recurring_take_back_in sender_resume domain_resume
        settings_resume callback_pause callback_resume template_archive template_publish audience_archive draft_stop""",
    "an admin lifts it again, on the list of opt-outs": """
        opt_out_add opt_out_upload person_opt_out inbound_refuses""",
    "takes in once more what is kept, which changes nothing the second time": """
        inbound_retry inbound_refuses_nothing receipts_retry receipts_take_in_kept receipts_import callback_replay
        callback_again send_write_on draft_go_on""",
    "the one before stays good until it is ended, which asks": """
        receipts_rotate receipts_rotate_webhook callback_rotate""",
    "reads, counts or looks only": """
        compose_preview draft_preview draft_here reply_count template_preview report_file report_export
        messages_export replies_export opt_out_export audience_export audit_export audit_verify number_disclose
        link_domain_check settings_connection_test send_messages""",
    "leads to a draft, or to a page that says what would happen; nothing is sent": """
        message_again draft_mend person_write bulk""",
    "the page it is on is the question: it says what happens, in numbers": """
        bulk_run approval_approve approval_reject audience_seed_list_confirm number_erase""",
    "sends to one person what was typed there, or to the own number": """
        reply_answer settings_test callback_test callback_add callback_verify tenant_probe_start tenant_probe_ask""",
    "of pretend phones": "handset_open handset_reply",
    "asks colleagues to look": "send_ask_again",
    "puts a file in the place of a list that the page gives out as a file before": "prices_replace",
}


@pytest.fixture
def cast() -> Cast:
    return a_cast(waiting=True)


def test_every_address_that_destroys_asks_first(cast):
    send = a_send(cast.service, due_at=timezone.now() + timedelta(days=1))
    draft = Draft.objects.create(service=cast.service)
    address(SERVICE_PAGES[0][0], cast.service, send, draft)
    asked, silent = set(), []
    for path, name, entry in SERVICE_PAGES:
        if not DESTROYS.search(name) or name in WITHOUT_QUESTION:
            continue
        CostlyPages.forget()
        holders = ACTS[entry.callback.act]
        who = cast["admin" if "admin" in holders else min(holders)]
        page = who.get(address(path, cast.service, send, draft, furnished=True))
        if page.status_code == 302 or "No, go back" in page.content.decode():
            asked.add(name)
        else:
            silent.append((name, page.status_code))
    assert silent == []
    assert {
        "send_cancel",
        "send_now",
        "draft_discard",
        "api_key_revoke",
        "sender_remove",
        "settings_stop",
    } <= asked
    assert len(asked) > 20


def is_question(entry) -> bool:
    kind = getattr(entry.callback, "view_class", None)
    return kind is not None and issubclass(kind, ConfirmView)


def test_every_press_asks_or_stands_in_the_table_with_its_reason(cast):
    presses = {name for _, name, one in SERVICE_PAGES if not getattr(one.callback, "opens", True)}
    questions = {name for _, name, one in SERVICE_PAGES if is_question(one)}
    listed = [name for names in HARMLESS.values() for name in names.split()]
    assert sorted(listed) == sorted(set(listed)), "each once"
    assert presses - set(listed) == set(), "asks nothing, and no reason is given"
    assert set(listed) - presses == set(), "is no press any more"
    assert len(questions) > 35


def test_a_question_says_how_much_and_does_nothing_by_itself(cast):
    send = a_send(cast.service, due_at=timezone.now() + timedelta(days=1))
    draft = Draft.objects.create(service=cast.service)
    address(SERVICE_PAGES[0][0], cast.service, send, draft)
    vague = []
    for path, name, entry in SERVICE_PAGES:
        if not is_question(entry) or name in OF_ONE_THING:
            continue
        CostlyPages.forget()
        holders = ACTS[entry.callback.act]
        who = cast["admin" if "admin" in holders else min(holders)]
        at = address(path, cast.service, send, draft, furnished=True)
        before = AuditEvent.objects.count()
        page = who.get(at)
        if page.status_code == 302:  # nothing to ask about; what is asked then is tried one by one
            continue
        assert AuditEvent.objects.count() == before, name
        asked = page.context["asked"]
        said = " ".join([asked.title, *map(str, asked.says)])
        if not NUMBER.search(said) and page.context.get("at_stake") is None:
            vague.append((name, said))
    assert vague == []


def test_taking_back_says_how_many_and_what_becomes_of_the_draft(cast):
    request = an_approval(cast.service)
    at = f"/s/shop/sends/{request.send_id}/take-back/"
    page = cast["composer"].get(at).content.decode()
    assert "1 message will not be sent." in page and "This cannot be undone" in page
    assert Send.objects.get(pk=request.send_id).state == "awaiting", "a look takes nothing back"
    cast["composer"].post(at)
    assert Send.objects.get(pk=request.send_id).state == "cancelled"
    over = cast["composer"].get(at, follow=True).content.decode()
    assert "Nothing is left to take back." in over


def test_cancelling_says_how_many_go_and_how_many_are_gone(cast):
    send = a_send(cast.service, 3)
    page = cast["composer"].get(f"/s/shop/sends/{send.pk}/cancel/").content.decode()
    assert "3 messages will never be sent." in page
    assert Send.objects.get(pk=send.pk).state != "cancelled", "a look cancels nothing"
    cast["composer"].post(f"/s/shop/sends/{send.pk}/cancel/")
    assert Send.objects.get(pk=send.pk).state == "cancelled"
    again = cast["composer"].get(f"/s/shop/sends/{send.pk}/cancel/", follow=True)
    assert "Nothing is left to cancel." in again.content.decode()


def test_a_planned_send_goes_now_after_the_question_only(cast):
    due = timezone.now() + timedelta(days=2)
    send = a_send(cast.service, 2, due_at=due)
    page = cast["composer"].get(f"/s/shop/sends/{send.pk}/send-now/").content.decode()
    assert "Send 2 messages now" in page
    assert Send.objects.get(pk=send.pk).due_at == due
    cast["composer"].post(f"/s/shop/sends/{send.pk}/send-now/")
    assert Send.objects.get(pk=send.pk).due_at <= timezone.now()


def test_a_discarded_draft_comes_back_as_it_was_within_thirty_days(cast):
    draft = Draft.objects.create(
        service=cast.service, name="Spring", text="Hello", pasted="07700 900001\n07700 900002"
    )
    composer = cast["composer"]
    at = f"/s/shop/drafts/{draft.pk}/"
    assert "2 lines of numbers" in composer.get(f"{at}discard/").content.decode()
    for _ in range(2):  # a second press of the button says the same
        pressed = composer.post(f"{at}discard/", follow=True)
        assert "Discarded. You can bring it back for 30 days." in pressed.content.decode()
    assert AuditEvent.objects.filter(act="draft.discarded").count() == 1
    assert "Spring" not in composer.get("/s/shop/drafts/").content.decode()
    assert "Spring" in composer.get("/s/shop/drafts/?discarded=1").content.decode()
    assert composer.get(at, follow=True).redirect_chain[-1][0] == "/s/shop/drafts/?discarded=1"
    assert composer.post(f"{at}review/", {"send": "1"}).status_code == 302
    assert not Send.objects.filter(draft=draft).exists(), "what is discarded is not sent"
    composer.post(f"{at}bring-back/")
    back = Draft.objects.get(pk=draft.pk)
    assert (back.is_open, back.text, back.pasted) == (True, "Hello", "07700 900001\n07700 900002")
    assert "draft.brought_back" in AuditEvent.objects.values_list("act", flat=True)


def test_a_draft_that_nobody_brought_back_is_deleted_after_thirty_days(cast):
    now = timezone.now()
    kept = Draft.objects.create(service=cast.service, discarded_at=now - timedelta(days=29))
    old = Draft.objects.create(service=cast.service, discarded_at=now - timedelta(days=31))
    page = cast["composer"].get("/s/shop/drafts/?discarded=1").content.decode()
    assert f"Draft {kept.pk}" in page and f"Draft {old.pk}" not in page
    cast["composer"].post(f"/s/shop/drafts/{old.pk}/bring-back/")
    assert not Draft.objects.get(pk=old.pk).is_open
    assert forget(now) == 1
    assert list(Draft.objects.all()) == [kept]
