"""An approval covers everything that decides what is posted: each such field is changed behind our back, and nothing goes.

Made from the lists that the fingerprint itself is made of, and these are compared with the fields that there are.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.db import models
from django.utils import timezone

from sms.audiences.files import Audience, Recipient
from sms.catalogue import placeholder_rules, templates
from sms.compose.approval import endings, fingerprint, parts
from sms.compose.create import create
from sms.compose.options import asking_for
from sms.compose.order import Order
from sms.models import (
    AuditEvent,
    ContactPolicyGroup,
    Lane,
    Message,
    MessageTemplate,
    Receipts,
    Resend,
    Send,
    Sender,
    SenderKind,
    SendState,
    Service,
    ShortLinkDomain,
    Slice,
)
from sms.sends import answers
from sms.sends.recurring import standing
from tests.support.approvals import a_careful_service, a_person, acting, request_of
from tests.support.provider import Provider
from tests.support.sends import BY, a_service

pytestmark = pytest.mark.django_db

SEND_PATHS = [(part, path) for part, paths in parts.PARTS.items() for path in paths]
MESSAGE_PATHS = [(part, path) for part, paths in parts.MESSAGE_PARTS.items() for path in paths]
# which send shows a path: with our own template, with a version at the provider, or with a provider's template of an older desk
KINDS = {
    "template_version__provider_template_id": "provider",
    "template__provider_template_id": "unversioned",
    "validity": "valid",
}


def test_every_field_of_a_send_and_of_a_message_is_in_the_fingerprint_or_says_why_not():
    own = {path for _, path in SEND_PATHS if "__" not in path}
    assert {field.attname for field in Send._meta.concrete_fields} == own | set(parts.EXEMPT)
    assert not own & set(parts.EXEMPT)
    of_messages = {path for _, path in MESSAGE_PATHS}
    assert {field.attname for field in Message._meta.concrete_fields} == of_messages | set(
        parts.MESSAGE_EXEMPT
    )
    of_standing_approvals = {standing.RHYTHM, standing.AUDIENCE}
    assert set(parts.WORDS) == {*parts.PARTS, *parts.MESSAGE_PARTS} | of_standing_approvals


def a_template(service: Service, kind: str) -> MessageTemplate:
    if kind == "unversioned":
        return MessageTemplate.objects.create(service=service, name="old", provider_template_id="t-1")
    wording = (
        templates.Wording("Hi $(name)")
        if kind == "own"
        else templates.Wording(provider_id="t-1", placeholders=[placeholder_rules.Placeholder("name")])
    )
    return templates.create(service, kind, wording, by=BY)


def a_full_send(kind: str, *, batch: int = 2) -> Send:
    """With everything that a send can have."""
    service = a_careful_service(batch_size=batch)
    recipients = [
        Recipient(
            row=row, msisdn=f"+44771000000{row}", substitutions={"name": f"N{row}", "zone": "Europe/London"}
        )
        for row in (1, 2, 3)
    ]
    order = Order(
        service=service,
        audience=Audience(
            headings=["number", "name", "zone"], column="number", recipients=recipients, rejects=[]
        ),
        sender=service.senders.get(),
        template=a_template(service, "own" if kind == "valid" else kind),
        options=asking_for(
            link_domain=ShortLinkDomain.objects.create(
                service=service, host="go.example.test", region=service.region
            ),
            policy_group=ContactPolicyGroup.objects.create(service=service, name="g", group_id="g"),
            **{"validity": 600} if kind == "valid" else {"expires_at": timezone.now() + timedelta(days=2)},
        ),
    )
    return create(order, by=BY)


def another(model: type[models.Model], send: Send) -> models.Model:
    """A further row of a kind that a send points to."""
    service = send.service
    makers = {
        Service: lambda: a_service(slug="other", name="Other"),
        Sender: lambda: Sender.objects.create(service=service, address="OTHER", kind=SenderKind.ALPHANUMERIC),
        ShortLinkDomain: lambda: ShortLinkDomain.objects.create(
            service=service, host="x.example.test", region=service.region
        ),
        ContactPolicyGroup: lambda: ContactPolicyGroup.objects.create(
            service=service, name="h", group_id="h"
        ),
        MessageTemplate: lambda: a_template(service, "own" if send.template.text == "" else "provider"),
    }
    if model in makers:
        return makers[model]()
    return another(MessageTemplate, send).versions.get()


def other_value(field: models.Field, now: Any, send: Send) -> Any:
    if field.remote_field:
        return another(field.remote_field.model, send).pk
    if field.name == "kind":
        return SenderKind.LONG_CODE
    if field.name == "lane":
        return Lane.BULK
    if field.name == "resend":
        return Resend.EVIDENCE
    if field.name == "receipts":
        return Receipts.DELIVERED
    match field:
        case models.BooleanField():
            return not now
        case models.DateTimeField():
            return now + timedelta(seconds=1)
        case models.JSONField():
            return [[1, 2]] if isinstance(now, list) else {**now, "x": "y"}
        case models.IntegerField():
            return (now or 0) + 100
    return f"{now}x"


def mutate(send: Send, path: str) -> None:
    """Straight in the database, as no code of ours does it."""
    thing: Any = send
    *through, name = path.split("__")
    for step in through:
        thing = getattr(thing, step)
    field = next(one for one in thing._meta.concrete_fields if name in (one.name, one.attname))
    value = other_value(field, getattr(thing, field.attname), send)
    if path == "policy_group__check_consent":  # one of the two has to stay
        type(thing).objects.filter(pk=thing.pk).update(apply_frequency_cap=True)
    type(thing).objects.filter(pk=thing.pk).update(**{field.attname: value})


def mutate_message(send: Send, name: str) -> None:
    message = send.messages.order_by("pk")[1]
    field = Message._meta.get_field(name)
    values = {"msisdn": "+447710000009", "zone": "Europe/Paris"}
    value = values.get(name) or other_value(field, getattr(message, name), send)
    Message.objects.filter(pk=message.pk).update(**{name: value})


def say_yes(send: Send) -> None:
    bob, request = a_person("bob", send.service, is_superuser=True), request_of(send)
    answers.approve(request, by=acting(bob), seen=request.fingerprint)


def check_that_it_is_void(send: Send, part: str) -> None:
    provider = Provider()
    provider.dispatch()
    assert provider.bodies == []
    assert not Message.objects.exclude(state="pending").exists()
    fresh = Send.objects.get(pk=send.pk)
    assert fresh.state == SendState.AWAITING
    first, second = fresh.approvals.order_by("pk")
    assert (first.state, second.state) == ("void", "open")
    assert part in second.changed
    event = AuditEvent.objects.get(act="send.approval_voided")
    assert part in event.details["parts"]
    # and the new request is to what stands there now
    assert fingerprint.of_send(send.pk).digest == second.fingerprint


@pytest.mark.parametrize(("part", "path"), SEND_PATHS, ids=[path for _, path in SEND_PATHS])
def test_a_changed_field_voids_the_approval_and_nothing_goes(part, path):
    send = a_full_send(KINDS.get(path, "own"))
    say_yes(send)
    mutate(Send.objects.get(pk=send.pk), path)
    check_that_it_is_void(send, part)


@pytest.mark.parametrize(("part", "name"), MESSAGE_PATHS, ids=[name for _, name in MESSAGE_PATHS])
def test_a_changed_message_voids_the_approval_and_nothing_goes(part, name):
    send = a_full_send("own")
    say_yes(send)
    mutate_message(send, name)
    check_that_it_is_void(send, part)


def test_a_removed_and_a_further_message_void_it_too():
    send = a_full_send("own")
    say_yes(send)
    send.messages.order_by("pk")[1].delete()
    check_that_it_is_void(send, "audience")


@pytest.mark.parametrize(
    ("part", "path"), SEND_PATHS + MESSAGE_PATHS, ids=[path for _, path in SEND_PATHS + MESSAGE_PATHS]
)
def test_what_changed_since_it_was_shown_is_not_approved(part, path):
    send = a_full_send(KINDS.get(path, "own"))
    shown = request_of(send)
    if (part, path) in MESSAGE_PATHS:
        mutate_message(send, path)
    else:
        mutate(Send.objects.get(pk=send.pk), path)
    bob = a_person("bob", send.service, is_superuser=True)
    with pytest.raises(answers.ChangedSince, match=parts.WORDS[part]):
        answers.approve(shown, by=acting(bob), seen=shown.fingerprint)
    check_that_it_is_void(send, part)
    # the page that is still open shows what was, so a yes from it counts for nothing either
    with pytest.raises(answers.ChangedSince, match="on your page"):
        answers.approve(request_of(send), by=acting(bob), seen=shown.fingerprint)


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (["sender__address"], "the sender"),
        (["sender__address", "lane"], "the sender and the lane"),
        (["sender__address", "lane", "ramp"], "the sender, the lane and whether it starts small"),
    ],
)
def test_everything_that_changed_is_named_as_people_read_it(paths, words):
    send = a_full_send("own")
    shown = request_of(send)
    for path in paths:
        mutate(Send.objects.get(pk=send.pk), path)
    bob = a_person("bob", send.service, is_superuser=True)
    with pytest.raises(answers.ChangedSince, match=f"since it was asked about: {words}\\. "):
        answers.approve(shown, by=acting(bob), seen=shown.fingerprint)


@pytest.mark.parametrize("name", sorted(set(parts.EXEMPT) & {"name", "source", "partner", "stage"}))
def test_what_is_exempt_changes_nothing(name):
    send = a_full_send("own")
    say_yes(send)
    now = getattr(send, name)
    Send.objects.update(**{name: now + 1 if isinstance(now, int) else "else"})
    provider = Provider()
    provider.dispatch()
    assert provider.numbers


def test_half_a_send_that_is_changed_waits_with_the_rest():
    """What has gone has gone; the rest is asked about again, and goes at once with that yes."""
    send = a_full_send("own", batch=1)
    first = send.messages.earliest("pk")
    Slice.objects.create(
        send=send,
        service=send.service,
        first_id=first.pk,
        last_id=first.pk,
        due_at=timezone.now() - timedelta(hours=1),
    )
    Slice.objects.filter(first_id=first.pk, last_id__gt=first.pk).update(
        first_id=first.pk + 1, due_at=timezone.now() + timedelta(hours=1)
    )
    endings.void(send, ["audience"], by=BY)
    say_yes(send)
    Slice.objects.filter(first_id__gt=first.pk).update(due_at=timezone.now() + timedelta(hours=1))
    provider = Provider()
    provider.dispatch()
    assert len(provider.bodies) == 1
    Message.objects.filter(send=send).exclude(pk=first.pk).update(text="Changed")
    Slice.objects.update(due_at=timezone.now())
    provider.dispatch()
    assert len(provider.bodies) == 1
    request = request_of(send)
    assert (request.state, request.changed, request.at_once) == ("open", ["values"], True)
    eve = a_person("eve", send.service)
    answers.approve(request, by=acting(eve), seen=request.fingerprint)
    provider.dispatch()
    assert [body["content"]["text"] for body in provider.bodies[1:]] == ["Changed", "Changed"]
