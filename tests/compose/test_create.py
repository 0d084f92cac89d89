"""The one door: what becomes of an order, and what each mistake is answered with."""

import io
from datetime import timedelta

import pytest
from django.utils import timezone

from sms.audiences.files import Limits, read
from sms.compose import checks
from sms.compose.create import create
from sms.compose.errors import ComposeError
from sms.models import AuditEvent, Message, MessageTemplate, Reject, Send, Sender, SenderKind, Slice
from tests.support.sends import BY, a_send, a_service, an_order, numbers

pytestmark = pytest.mark.django_db


def table(text: str):
    return read(io.BytesIO(text.encode()), name="a.csv", country="GB", limits=Limits())


def problems(order) -> dict[str, str]:
    with pytest.raises(ComposeError) as caught:
        create(order, by=BY)
    assert Send.objects.count() == Message.objects.count() == 0, "nothing is stored"
    return {problem.field: problem.text for problem in caught.value.problems}


def test_a_send_is_committed_with_messages_slices_counters_and_audit():
    send = a_send(a_service(), 1001)
    assert (send.recipients, send.rejected, send.state) == (1001, 0, "sending")
    assert send.counts() == {"pending": 1001}
    covered = [
        Message.objects.filter(send=send, pk__range=(s.first_id, s.last_id)).count()
        for s in Slice.objects.all()
    ]
    assert covered == [500, 500, 1]
    event = AuditEvent.objects.get(act="send.created")
    assert (event.noun_key, event.actor_label, event.door) == (str(send.pk), "ada@example.test", "page")


def test_placeholders_are_filled_from_columns_whose_case_and_spaces_differ():
    service = a_service()
    audience = table("Mobile number,First Name,order\n07700900123,Ada,17\n07700900124,Linus,18\n")
    send = a_send(service, audience=audience, content="Hi $(first_name), order $(Order).")
    assert list(send.messages.values_list("text", flat=True)) == ["Hi Ada, order 17.", "Hi Linus, order 18."]


@pytest.mark.parametrize("content", ["Hi $( )", "$(name) costs $(", "Hi $(a\nb)", f"Hi $({'x' * 201})"])
def test_a_text_with_a_placeholder_that_could_not_be_posted_is_refused(content):
    order = an_order(a_service(), audience=table("number,name\n07700900123,Ada\n"), content=content)
    assert "“$(” begins a placeholder" in problems(order)["text"]


@pytest.mark.parametrize("value", ["$(number)", "$( )", f"$({'x' * 201})", "{{smartlink_9}}", "9}}"])
def test_a_value_that_the_provider_would_read_as_its_own_rejects_the_row(value):
    rows = table(f"number,name\n07700900123,Ada\n07700900124,{value}\n")
    content = "{{smartlink_$(name)" if value == "9}}" else "Hi $(name)"
    send = a_send(a_service(batch_size=10), audience=rows, content=content)
    assert send.rejects.get().code == "placeholder_in_value"


def test_a_value_that_looks_like_a_placeholder_is_never_filled_in_and_its_row_is_a_reject():
    audience = table("number,name\n07700900123,$(number)\n07700900124,Ada\n")
    send = a_send(a_service(), audience=audience, content="Hi $(name)")
    assert list(send.messages.values_list("text", flat=True)) == ["Hi Ada"]
    assert send.rejects.get().code == "placeholder_in_value"


def test_a_row_without_a_needed_value_is_a_reject_with_its_row():
    audience = table("number,name\n07700900123,Ada\n07700900124,\n07700900125,Grace\n")
    send = a_send(a_service(), audience=audience, content="Hi $(name)")
    assert send.recipients == 2
    reject = Reject.objects.get(send=send)
    assert (reject.row, reject.code) == (3, "missing_value")
    assert "$(name)" in reject.reason


def test_a_row_whose_text_is_too_long_after_substitution_is_a_reject():
    service = a_service(text_limit=20)
    audience = table(f"number,name\n07700900123,Ada\n07700900124,{'x' * 30}\n")
    send = a_send(service, audience=audience, content="Hi $(name)")
    assert send.recipients == 1
    assert Reject.objects.get(send=send).code == "text_too_long"


def test_a_placeholder_that_no_column_fills_names_it_and_the_columns():
    found = problems(
        an_order(a_service(), audience=table("number,name\n07700900123,Ada\n"), content="Hi $(surname)")
    )
    assert "$(surname)" in found["text"]
    assert "name" in found["text"]


def test_a_fixed_text_over_the_limit_is_one_problem_of_the_text():
    found = problems(an_order(a_service(), content="x" * 1025))
    assert "1,025" in found["text"]
    assert "1,024" in found["text"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"sender": None}, "sender"),
        ({"content": "  "}, "text"),
        ({"due_at": timezone.now() - timedelta(hours=1)}, "send_at"),
        ({"expires_at": timezone.now() - timedelta(hours=1)}, "expires_at"),
        ({"callback_data": "x" * 2001}, "callback_data"),
    ],
)
def test_each_mistake_names_its_field(changes, field):
    assert field in problems(an_order(a_service(), **changes))


def test_another_services_sender_is_refused():
    service, other = a_service(), a_service(slug="other")
    sender = Sender.objects.create(service=other, address="72345", kind=SenderKind.SHORT_CODE)
    assert "sender" in problems(an_order(service, sender=sender))


def test_an_inactive_sender_is_refused():
    service = a_service()
    service.senders.update(active=False)
    assert "sender" in problems(an_order(service))


def test_no_recipients_says_why():
    found = problems(an_order(a_service(), audience=table("number\nabc\n12\n")))
    assert "2 rows" in found["audience"]


def test_an_unconnected_service_says_who_can_help():
    assert "admin" in problems(an_order(a_service(api_key="")))["service"]


def test_a_template_and_a_text_together_are_refused():
    service = a_service()
    template = MessageTemplate.objects.create(service=service, name="hello", text="Hello")
    assert "text" in problems(an_order(service, template=template))


def test_rejects_and_recipients_together_are_all_rows():
    audience = table("number,name\n07700900123,Ada\nabc,Bob\n07700900123,Eve\n07700900124,\n")
    send = a_send(a_service(), audience=audience, content="Hi $(name)")
    assert send.recipients + send.rejected == 4
    assert list(send.rejects.values_list("row", flat=True)) == [3, 4, 5]


def test_checking_stores_nothing():
    checked = checks.check(an_order(a_service(), 3, content="Hello €"))
    assert ([line.segments for line in checked.lines], checked.encoding) == ([1, 1, 1], "gsm7")
    assert Send.objects.count() == 0


def test_numbers_are_unique_in_one_audience():
    assert len({r.msisdn for r in numbers(50).recipients}) == 50
