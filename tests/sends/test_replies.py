"""The replies inbox at its doors: an SMS posted by the provider, the pages that people see, and the answer on the wire."""

import html
import json
import re
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from sms.catalogue import templates
from sms.inbound import optouts
from sms.ledger import settled
from sms.models import (
    Actor,
    ApprovalRequest,
    ApprovalRules,
    AuditEvent,
    Conversation,
    ConversationAnswer,
    InboundMessage,
    KeywordRule,
    Label,
    Message,
    Notice,
    Send,
    Sender,
    StateCount,
)
from sms.sends import answers
from sms.sends.replies import automatic
from tests.support.partners import Partner, a_key
from tests.support.people import Cast, a_cast, a_person
from tests.support.provider import Provider
from tests.support.sends import BY, a_send

pytestmark = pytest.mark.django_db
URL = "/s/shop/replies/"
PHONE = "+447710000000"
CODE = "72345"


@pytest.fixture
def cast() -> Cast:
    cast = a_cast(waiting=True)
    Sender.objects.create(service=cast.service, address=CODE, kind="short_code")
    return cast


@pytest.fixture
def provider() -> Provider:
    return Provider()


def comes(cast: Cast, text: str, *, number: str = PHONE, to: str = CODE, **fields) -> InboundMessage:
    """As the provider posts it."""
    count = InboundMessage.objects.count()
    body = {"oa": number, "da": to, "message": text, "tid": f"t{count}"} | fields
    answer = Client().post(
        f"/inbound/{cast.service.receipt_token}/", json.dumps(body), content_type="application/json"
    )
    assert answer.status_code == 200
    return InboundMessage.objects.latest("pk")


def a_reminder(cast: Cast, provider: Provider, count: int = 1, **fields) -> Send:
    send = a_send(cast.service, count, sender=cast.service.senders.get(address=CODE), **fields)
    provider.dispatch()
    return send


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def form_of(page) -> dict[str, str]:
    form = page.context["form"]
    return {"token": str(form["token"].value()), "seen": str(form["seen"].value())}


def answered(cast: Cast, talk: Conversation, text: str, *, who: str = "composer", page=None, **fields):
    page = page or cast[who].get(f"{URL}{talk.pk}/")
    return cast[who].post(f"{URL}{talk.pk}/answer/", form_of(page) | {"text": text} | fields, follow=True)


def test_an_sms_is_read_beside_what_it_answers_and_the_answer_goes_out_of_the_sender_that_it_came_to(
    cast, provider
):
    send = a_reminder(cast, provider, content="See you at 3. Reply C to cancel.", name="Reminder")
    sms = comes(cast, "Can I come at four?")
    listed = text_of(cast["composer"].get(URL))
    assert "1 open, 0 of them yours. The oldest has waited" in listed
    assert "Can I come at four?" in listed
    assert "1 open reply" in text_of(cast["composer"].get("/s/shop/"))
    talk = Conversation.objects.get()
    assert (sms.send_id, sms.conversation_id) == (send.pk, talk.pk)
    page = cast["composer"].get(f"{URL}{talk.pk}/")
    shown = text_of(page)
    assert shown.index("See you at 3") < shown.index("Can I come at four?")
    assert "7710000000" not in page.content.decode()

    done = answered(cast, talk, "Yes, four is fine.", page=page)
    assert "Your answer is on its way." in text_of(done)
    # a second press of the same button
    answered(cast, talk, "Yes, four is fine.", page=page)
    provider.dispatch()
    sent = [one for one in provider.bodies if "four is fine" in json.dumps(one)]
    assert len(sent) == 1
    assert sent[0]["from"] == CODE
    assert provider.numbers[-1] == PHONE[1:]
    shown = text_of(cast["admin"].get(f"{URL}{talk.pk}/"))
    assert "Answer of composer@example.test" in shown
    assert "Accepted" in shown
    talk.refresh_from_db()
    assert (talk.answered, talk.waiting_since) == (1, None)
    event = AuditEvent.objects.get(act="reply.answered")
    assert (event.noun_key, event.actor_label) == (str(talk.pk), "composer@example.test")


def test_two_colleagues_at_once_are_told_of_each_other_and_lose_nothing(cast, provider):
    a_reminder(cast, provider)
    comes(cast, "Hello?")
    talk = Conversation.objects.get()
    maria = cast.users["admin"]
    maria.first_name = "Maria"
    maria.save()
    mine, hers = cast["composer"].get(f"{URL}{talk.pk}/"), cast["admin"].get(f"{URL}{talk.pk}/")
    answered(cast, talk, "From Maria", who="admin", page=hers)
    refused = answered(cast, talk, "From me", page=mine)
    assert refused.status_code == 422
    assert "Maria answered this a moment ago." in text_of(refused)
    assert "From me" in refused.content.decode()
    assert ConversationAnswer.objects.count() == 1
    answered(cast, talk, "From me all the same", page=refused)
    assert ConversationAnswer.objects.count() == 2
    # whose it is, and that it is done, hold for what the page showed only
    assign = f"{URL}{talk.pk}/assign/"
    cast["admin"].post(assign, {"to": maria.pk, "was": ""})
    comes(cast, "Hello again?")
    assert Notice.objects.filter(seen_at=None).values_list("person", "page_id").get() == (maria.pk, talk.pk)
    late = cast["composer"].post(assign, {"to": cast.users["composer"].pk, "was": ""}, follow=True)
    assert "this conversation belongs to Maria now" in text_of(late)
    assert "1 open, 1 of them yours" in text_of(cast["admin"].get(f"{URL}?show=mine"))
    seen = InboundMessage.objects.latest("pk").pk
    comes(cast, "One more thing")
    late = cast["admin"].post(f"{URL}{talk.pk}/done/", {"seen": seen}, follow=True)
    assert "Another message came in a moment ago." in text_of(late)
    talk.refresh_from_db()
    cast["admin"].post(f"{URL}{talk.pk}/done/", {"seen": talk.last_inbound_id})
    talk.refresh_from_db()
    assert (talk.state, talk.waiting_since) == ("done", None)
    assert not Notice.objects.filter(seen_at=None).exists()
    comes(cast, "And another")
    talk.refresh_from_db()
    assert (talk.state, talk.assigned_to) == ("assigned", maria)


def test_nothing_is_sent_to_a_person_who_said_stop_or_from_a_number_that_is_not_ours(cast, provider):
    a_reminder(cast, provider)
    comes(cast, "When do you open?")
    talk = Conversation.objects.get()
    page = cast["composer"].get(f"{URL}{talk.pk}/")
    comes(cast, "STOP")
    refused = answered(cast, talk, "At nine.", page=page)
    assert refused.status_code == 422
    assert "This person opted out, so no answer can be sent." in text_of(refused)
    assert "At nine." in refused.content.decode()
    comes(cast, "Hi", number="+447710000009", to="99999")
    stranger = Conversation.objects.get(msisdn="+447710000009")
    shown = text_of(cast["composer"].get(f"{URL}{stranger.pk}/"))
    assert "99999, to which they wrote, is no sender of this service" in shown
    assert "It answers no message that is known here." in shown
    assert not ConversationAnswer.objects.exists()
    # a plain STOP of somebody else opens nothing
    comes(cast, "STOP", number="+447710000008")
    assert Conversation.objects.get(msisdn="+447710000008").state == "done"


def test_an_answer_waits_for_the_morning_and_for_its_approval_as_any_send(cast, provider):
    now = timezone.now()
    a_reminder(cast, provider)
    comes(cast, "Hello?")
    talk = Conversation.objects.get()
    night = f"{now - timedelta(hours=3):%H:%M}-{now + timedelta(hours=3):%H:%M}"
    type(cast.service).objects.update(quiet_hours=night, time_zone="UTC")
    assert "It is night there" in text_of(cast["composer"].get(f"{URL}{talk.pk}/"))
    answered(cast, talk, "In the morning.")
    answered(cast, talk, "At once.", at_night="on")
    waits, at_once = ConversationAnswer.objects.order_by("pk")
    assert (waits.send.quiet_hours, at_once.send.quiet_hours) == (night, "")
    ApprovalRules.objects.create(service=cast.service, size=1, size_approvers=1)
    asked = answered(cast, talk, "With approval.", at_night="on")
    assert "waits for approval" in text_of(asked)
    assert "Waiting for approval" in text_of(asked)
    provider.dispatch()
    assert Message.objects.get(send__text="With approval.").posted_at is None


def test_templates_are_offered_where_nothing_in_them_is_unknown(cast, provider):
    templates.create(cast.service, "thanks", templates.Wording("Thank you, noted."), by=BY)
    templates.create(cast.service, "named", templates.Wording("Thank you $(name)."), by=BY)
    templates.create(cast.service, "called", templates.Wording("We call $(phone)."), by=BY)
    a_reminder(cast, provider)
    Message.objects.update(substitutions={"phone": PHONE})  # who answers does not see it
    comes(cast, "Hello?")
    talk = Conversation.objects.get()
    page = cast["composer"].get(f"{URL}{talk.pk}/?templates=1")
    assert [one.name for one in page.context["canned"]] == ["thanks"]
    chosen = cast["composer"].get(f"{URL}{talk.pk}/?canned={page.context['canned'][0].key}")
    assert "1 segment" in text_of(chosen)
    assert chosen.context["form"]["text"].value() == "Thank you, noted."
    counted = cast["composer"].post(f"{URL}{talk.pk}/count/", {"text": "ё" * 71})
    assert "2 segments · Unicode" in text_of(counted)


def a_keyword(cast: Cast, keyword: str, **fields):
    return cast["admin"].post("/s/shop/keywords/new/", {"keyword": keyword} | fields, follow=True)


def test_a_keyword_labels_answers_once_an_hour_and_is_told_to_programs(cast, provider):
    assert "read as opting out" in text_of(a_keyword(cast, "Stop"))
    assert a_keyword(cast, "C", label="Cancelled", text="Your appointment is cancelled.").status_code == 200
    assert "is listed already" in text_of(a_keyword(cast, "ｃ"))
    a_reminder(cast, provider, content="See you at 3. Reply C to cancel.")
    sms = comes(cast, " ｃ. ")
    assert (sms.matched, sms.answer_due) == ("C", True)
    assert comes(cast, "C you later").matched == ""
    automatic.answer_due()
    provider.dispatch()
    assert "Your appointment is cancelled." in json.dumps(provider.bodies[-1])
    talk = Conversation.objects.get()
    assert talk.waiting_since, "what came after the keyword is not answered by it"
    shown = text_of(cast["composer"].get(f"{URL}{talk.pk}/"))
    assert "Answer of the keyword C" in shown
    assert "cancelled" in text_of(cast["composer"].get(f"{URL}?show=all&label=cancelled"))
    again = comes(cast, "c")
    automatic.answer_due()
    again.refresh_from_db()
    assert again.not_answered == "The same keyword was answered within the last hour."
    for hours in range(2, 7):
        comes(cast, "C", tid=f"h{hours}")
        automatic.answer_due(now=timezone.now() + timedelta(hours=hours))
    assert ConversationAnswer.objects.count() == 3, "two robots come to an end"
    optouts.opt_out(cast.service.pk, [optouts.Refusal(PHONE)], by=BY, source="page")
    last = comes(cast, "c", tid="last")
    ConversationAnswer.objects.all().update(at=timezone.now() - timedelta(days=2))
    automatic.answer_due()
    last.refresh_from_db()
    assert "opted out" in last.not_answered
    assert Label.objects.get().word == "cancelled"


def test_links_of_a_list_narrowed_to_a_label_lead_to_that_label(cast, monkeypatch):
    monkeypatch.setattr("portal.views.replies.PAGE", 1)
    label = Label.objects.create(service=cast.service, word="größe & co#1")
    for number in (PHONE, "+447710000001", "+447710000002"):
        comes(cast, f"From {number[-1]}", number=number)
    for talk in Conversation.objects.exclude(msisdn="+447710000001"):
        talk.labels.add(label)
    page = cast["composer"].get(URL, {"show": "all", "label": label.word}).text
    older, again = re.search(r'href="([^"]*before=[^"]*)"', page), re.search(r'hx-get="([^"]*)"', page)
    for link, says in ((older, "From 0"), (again, "From 2")):
        shown = cast["composer"].get(html.unescape(link[1])).text
        assert says in shown and "From 1" not in shown, link[1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgresql  # SQLite has one writer, so that two never look at once
@pytest.mark.parametrize("to", [CODE, "72346"])
def test_two_processes_at_once_answer_a_person_once(cast, provider, monkeypatch, to):
    """The second begins while what the first did is not committed yet."""
    Sender.objects.create(service=cast.service, address="72346", kind="short_code")
    a_keyword(cast, "C", text="Cancelled.")
    early = comes(cast, "C", to=to)
    InboundMessage.objects.filter(pk=early.pk).update(answer_due=False)
    comes(cast, "C")
    failed: list[Exception] = []

    def second() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET application_name = 'in_the_test'")
            InboundMessage.objects.filter(pk=early.pk).update(answer_due=True)
            monkeypatch.setattr(automatic, "AT_ONCE", 1)
            automatic.answer_due()
        except Exception as problem:
            failed.append(problem)
        finally:
            connection.close()

    thread = threading.Thread(target=second)
    with transaction.atomic():
        automatic.answer_due()
        assert ConversationAnswer.objects.count() == 1
        thread.start()
        wait_for_a_lock()
    thread.join(60)
    early.refresh_from_db()
    assert (failed, early.answer_due) == ([], False)
    assert early.not_answered == "The same keyword was answered within the last hour."
    assert ConversationAnswer.objects.count() == 1


def wait_for_a_lock() -> None:
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'in_the_test'"
    until = time.monotonic() + 60
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            if cursor.execute(waits).fetchone()[0]:
                return
            time.sleep(0.02)
    raise AssertionError("nobody waits for a lock")


def test_who_wrote_a_keyword_or_its_template_does_not_approve_its_answers(cast, provider):
    """Whatever they changed of it, and whether the keyword answers with a text or a template."""
    ApprovalRules.objects.update_or_create(service=cast.service, defaults={"new_sender": 1})
    people = {}
    for name in ("adds", "writes", "revives", "drafts", "publishes"):
        people[name] = a_person(f"{name}@example.test", cast.service, "admin")
        people[name].memberships.create(service=cast.service, role="approver")
        cast.users[name] = people[name]
    cast["adds"].post("/s/shop/keywords/new/", {"keyword": "C", "text": "Cancelled."})
    rule = KeywordRule.objects.get()
    at = f"/s/shop/keywords/{rule.pk}/"
    cast["writes"].post(f"{at}edit/", {"keyword": "C", "text": "Cancelled!"})
    comes(cast, "C")  # from now on it is in use, so that removing it archives it
    cast["revives"].post(f"{at}remove/")
    cast["revives"].post(f"{at}remove/")
    rule.refresh_from_db()
    assert rule.active

    def kept_from() -> set[str]:
        automatic.answer_due()
        asked = ApprovalRequest.objects.latest("pk")
        assert asked.authors.count() + asked.eligible == len(people) + 1, "one approver wrote nothing"
        told = set(
            Notice.objects.filter(kind="approval_asked", page_id=asked.pk).values_list("person", flat=True)
        )
        refused = {
            name
            for name, user in people.items()
            if answers.obstacle(asked, user=user).startswith("You wrote this")
        }
        assert told.isdisjoint(people[name].pk for name in refused)
        assert answers.obstacle(asked, user=cast.users["approver"]) == ""
        return refused

    assert kept_from() == {"adds", "writes", "revives"}
    template = templates.create(
        cast.service, "cancelled", templates.Wording("Cancelled"), by=Actor.person(people["drafts"])
    )
    version = templates.save_draft(
        template, templates.Wording("Cancelled, sorry"), by=Actor.person(people["drafts"])
    )
    templates.publish(version, by=Actor.person(people["publishes"]))
    cast["writes"].post(f"{at}edit/", {"keyword": "C", "text": "", "template": str(template.pk)})
    comes(cast, "C", number="+447710000009")
    assert kept_from() == set(people)


def test_answers_leave_room_for_other_sends_and_only_one_that_did_not_arrive_is_told(cast, provider):
    a_reminder(cast, provider, name="Reminder")
    made = []
    for index, end in enumerate(("delivered", "failed")):
        comes(cast, "Hello?", number=f"+44771000000{index}")
        talk = Conversation.objects.latest("pk")
        answered(cast, talk, "Hi")
        made.append(talk.answers.get().send)
        Message.objects.filter(send=made[-1]).update(state=end)
        StateCount.objects.filter(send=made[-1]).update(state=end)
        Send.objects.filter(pk=made[-1].pk).update(state="finished")
    settled.settle([one.pk for one in made])
    (notice,) = Notice.objects.filter(kind="send_done")
    assert (notice.says, notice.page) == ("An answer of yours did not arrive.", "reply")
    assert (notice.page_id, notice.person) == (talk.pk, cast.users["composer"])

    home, sends = "/s/shop/", "/s/shop/sends/"
    for where in (home, sends, f"/s/shop/senders/{made[0].sender_id}/"):
        said = text_of(cast["composer"].get(where))
        assert "Reminder" in said and "Answer in conversation" not in said, where
    asked = {
        answers: text_of(cast["composer"].get(f"{sends}?answers={answers}")) for answers in ("with", "only")
    }
    assert all(one.name in said for said in asked.values() for one in made)
    assert ["Reminder" in said for said in asked.values()] == [True, False]
    Send.objects.filter(answering=None).delete()
    assert 'name="answers"' in cast["composer"].get(sends).content.decode(), "also where there are no others"


def test_the_page_of_a_send_leads_to_the_replies_that_it_got(cast, provider):
    send, other = a_reminder(cast, provider, 2, name="Reminder"), a_reminder(cast, provider, name="Other")
    Message.objects.filter(send=other).update(msisdn="+447710000009")
    page = f"/s/shop/sends/{send.pk}/"
    assert "came to this send" not in text_of(cast["approver"].get(page))
    for number in (PHONE, PHONE, "+447710000001"):
        comes(cast, "STOP" if number == PHONE else "Yes", number=number)
    comes(cast, "Yes", number="+447710000009")
    shown = cast["approver"].get(page)
    assert "3 replies came to this send." in text_of(shown)
    link = f"/s/shop/replies/?show=all&amp;send={send.pk}"
    assert f'href="{link}"' in shown.content.decode()
    narrowed = cast["approver"].get(link.replace("&amp;", "&"))
    assert {row.conversation.msisdn for row in narrowed.context["rows"]} == {PHONE, "+447710000001"}
    assert "Only those who answered Reminder" in text_of(narrowed)
    assert f"?show=open&amp;send={send.pk}" in narrowed.content.decode()
    still = cast["approver"].get(f"{URL}?show=open&send={send.pk}")
    assert [row.conversation.msisdn for row in still.context["rows"]] == ["+447710000001"]
    foreign = a_send(cast.other)
    assert cast["approver"].get(f"{URL}?show=all&send={foreign.pk}").context["send"] is None


def test_what_may_be_a_refusal_is_decided_in_its_conversation(cast, provider):
    a_reminder(cast, provider)
    comes(cast, "Please don't text me so early")
    if not InboundMessage.objects.filter(meaning="maybe").exists():
        InboundMessage.objects.update(meaning="maybe", sure=False)
    assert "1 reply may be a refusal" in text_of(cast["composer"].get("/s/shop/opt-outs/"))
    assert "+44 7710 ••• 000" in text_of(cast["composer"].get(f"{URL}?show=maybe"))
    sms = InboundMessage.objects.get()
    after = cast["composer"].post(f"/s/shop/inbound/{sms.pk}/refuses/", follow=True)
    assert after.redirect_chain[-1][0] == f"{URL}{sms.conversation_id}/"
    assert "is opted out from now on" in text_of(after)
    InboundMessage.objects.update(conversation=None)
    late = cast["composer"].post(f"/s/shop/inbound/{sms.pk}/refuses/", follow=True)
    assert (late.redirect_chain[-1][0], "decided already" in text_of(late)) == (URL, True)


def test_replies_leave_as_a_file_with_the_role_for_it(cast, provider):
    a_reminder(cast, provider)
    comes(cast, "=1+1")
    assert cast["composer"].post(f"{URL}export/").status_code == 403
    lines = b"".join(cast["auditor"].post(f"{URL}export/").streaming_content).decode()
    assert PHONE in lines
    assert "'=1+1" in lines
    assert AuditEvent.objects.get(act="reply.exported").details == {"rows": 1}


@pytest.mark.parametrize("count", [1, 12])
def test_pages_ask_the_database_the_same_however_much_there_is(
    cast, provider, count, django_assert_max_num_queries
):
    a_reminder(cast, provider, count=count)
    for index in range(count):
        comes(cast, "Hello?", number=f"+44771{index:07d}")
        comes(cast, "Still there?")
    client, talk = cast["composer"], Conversation.objects.get(msisdn=PHONE)
    client.get(URL)
    with django_assert_max_num_queries(15):
        assert len(client.get(URL).context["rows"]) == count
    with django_assert_max_num_queries(15):
        client.get(f"{URL}{talk.pk}/?templates=1")


def test_a_program_answers_what_it_may_read_once_for_each_key_of_idempotency(cast, provider):
    a_reminder(cast, provider)
    sms = comes(cast, "Can I come at four?")
    partner = Partner(a_key(cast.service, scopes=["send", "read", "texts", "all"]))
    shown = partner.get("inbound").json()["items"][0]
    assert (shown["conversation"], shown["matched_keyword"]) == (sms.conversation_id, None)
    path, body = f"inbound/{sms.pk}/answer", {"text": "Yes.", "done": True}
    assert partner.post(path, body).status_code == 400, "money is spent, so a repeat has to be known"
    made = partner.post(path, body, Idempotency_Key="one")
    assert made.status_code == 201, made.content
    assert partner.post(path, body, Idempotency_Key="one").json() == made.json()
    answer = ConversationAnswer.objects.get()
    assert made.json() == {"send": answer.send_id, "conversation": sms.conversation_id}
    assert answer.send.sender.address == CODE
    assert answer.conversation.state == "done"
    nothing = partner.post(path, {"template": "nothing"}, Idempotency_Key="two")
    assert (nothing.status_code, nothing.json()["errors"][0]["field"]) == (422, "template")
    narrow = Partner(a_key(cast.service, name="Other", scopes=["send", "read"]))
    assert narrow.post(path, body, Idempotency_Key="three").status_code == 404
    comes(cast, "STOP")
    refused = partner.post(path, body, Idempotency_Key="four")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "opted_out")
