"""Every page of a service, for tests that walk all of them, and one of each thing that a page's address names."""

from datetime import time, timedelta

from django.utils import timezone

from portal import people
from portal.models import Invitation, Membership, Role, User
from sms.audiences import packing, saved
from sms.audiences.files import Limits
from sms.catalogue import templates
from sms.compliance import erasure
from sms.models import (
    ApiKey,
    ApprovalRequest,
    ApprovalRules,
    AuditEvent,
    BulkAct,
    Callback,
    CallbackEndpoint,
    Comment,
    ContactPolicyGroup,
    Conversation,
    Draft,
    Erasure,
    InboundMessage,
    KeywordRule,
    OptOut,
    ProbeStep,
    RecurringSend,
    ReportFile,
    ReportSchedule,
    SavedAudience,
    SavedFilter,
    Send,
    ShortLinkDomain,
    Smartlink,
    StandingApproval,
    TemplateVersion,
    TenantProbe,
    WaitingChange,
)
from sms.sends.person.identity import key_of
from tests.support.routes import patterns
from tests.support.sends import BY, a_send

SERVICE_PAGES = [
    (path, name, entry) for path, name, entry in patterns() if path.startswith("s/<slug:service>/")
]
THINGS = [page for page in SERVICE_PAGES if "<int:pk>" in page[0] or "<slug:person_key>" in page[0]]


def address(path: str, service, send: Send, draft: Draft, *, furnished: bool = False) -> str:
    """Where the thing that `path` names is; unless `furnished`, one of every other kind is made too, for the lists to show."""
    nouns = {
        "drafts": lambda: draft.pk,
        "messages": lambda: send.messages.first().pk,
        "sends": lambda: send.pk,
        "senders": lambda: send.sender_id,
        "opt-outs": lambda: an_opt_out(send.service).pk,
        "inbound": lambda: an_sms(send.service).pk,
        "replies": lambda: a_conversation(send.service).pk,
        "keywords": lambda: a_keyword(send.service).pk,
        "domains": lambda: a_domain(send.service).pk,
        "api-keys": lambda: an_api_key(send.service).pk,
        "callbacks": lambda: a_callback(send.service).endpoint_id,
        "callback-log": lambda: a_callback(send.service).pk,
        "templates": lambda: a_template(send.service).template_id,
        "versions": lambda: a_template(send.service).pk,
        "policy-groups": lambda: a_group(send.service).pk,
        "smartlinks": lambda: a_smartlink(send.service).pk,
        "bulk": lambda: a_bulk_act(send).pk,
        "filters": lambda: a_filter(send.service).pk,
        "comments": lambda: a_comment(send).pk,
        "approvals": lambda: an_approval(send.service).pk,
        "audiences": lambda: an_audience(send.service).pk,
        "recurring": lambda: a_recurring(send.service).pk,
        "standing-approvals": lambda: a_standing_approval(send.service).pk,
        "people": lambda: a_colleague(send.service).pk,
        "invitations": lambda: an_invitation(send.service).pk,
        "report-files": lambda: a_report_file(send.service).pk,
        "report-schedules": lambda: a_report_by_mail(send.service).pk,
        "tenant": lambda: a_probe_step(send.service).pk,
        "personal-data": lambda: an_erasure(send.service).pk,
        "waiting-changes": lambda: a_waiting_change(send.service).pk,
        "audit": lambda: AuditEvent.objects.filter(service_slug=send.service.slug).latest("pk").pk,
    }
    # by the part after the service, so that a page of a new noun has to be added here
    parts = path.removeprefix("s/<slug:service>/settings/").removeprefix("s/<slug:service>/").split("/")
    made = {} if furnished else {name: make() for name, make in nouns.items()}
    person = key_of(send.service, "+447710000000")  # of the first of `numbers`
    noun = 0
    if "<int:pk>" in path:
        noun = made.get(parts[0]) or nouns[parts[0]]()
    found = path.replace("<slug:service>", service.slug).replace("<int:pk>", str(noun))
    return "/" + found.replace("<slug:step>", "backup").replace("<slug:person_key>", person)


def a_probe_step(service) -> ProbeStep:
    now = timezone.now()
    probe, _ = TenantProbe.objects.get_or_create(
        service=service,
        defaults={"sender": service.senders.first(), "started_at": now, "msisdn": "+447700900001"},
    )
    return ProbeStep.objects.get_or_create(probe=probe, question="plain")[0]


def a_template(service) -> TemplateVersion:
    made = templates.create(service, f"t{service.templates.count()}", templates.Wording("Hello"), by=BY)
    return made.versions.get()


def a_bulk_act(send: Send) -> BulkAct:
    said = {"user": a_colleague(send.service), "things": [send.pk], "made_at": timezone.now(), "given": "vip"}
    return BulkAct.objects.get_or_create(said, service=send.service, kind="sends.label")[0]


def a_filter(service) -> SavedFilter:
    said = {"user": a_colleague(service), "name": "Vip", "query": "label=vip", "shared": True}
    return SavedFilter.objects.get_or_create(said, service=service, of="sends")[0]


def a_comment(send: Send) -> Comment:
    said = {"service": send.service, "label": "ada@example.test", "text": "Hello", "at": timezone.now()}
    return Comment.objects.get_or_create(said, send=send)[0]


def a_group(service) -> ContactPolicyGroup:
    return ContactPolicyGroup.objects.get_or_create(service=service, name="g", group_id="g")[0]


def a_smartlink(service) -> Smartlink:
    return Smartlink.objects.get_or_create(service=service, name="s", smartlink_id=7)[0]


def a_domain(service) -> ShortLinkDomain:
    return ShortLinkDomain.objects.get_or_create(
        service=service, host="go.example.test", defaults={"region": service.region}
    )[0]


def an_api_key(service) -> ApiKey:
    known = {"service": service, "name": "Shop", "prefix": f"td_live_{service.pk}"}
    unique = {"digest": "0" * 64, "scopes": ["read"], "confirmed": True}
    return ApiKey.objects.get_or_create(known | unique, **known)[0]


def a_waiting_change(service) -> WaitingChange:
    now, does = timezone.now(), f'{{"model": "sms.Service", "key": {service.pk}, "values": {{}}}}'
    told = {"operations": does, "asked_at": now, "takes_effect_at": now + timedelta(hours=24)}
    return WaitingChange.objects.get_or_create(service=service, title="Settings", defaults=told)[0]


def a_callback(service) -> Callback:
    now = timezone.now()
    endpoint, _ = CallbackEndpoint.objects.get_or_create(
        service=service,
        url="https://partner.invalid/",
        defaults={"name": "Partner", "disabled_at": now, "disabled_because": "x"},
    )
    kept = {"kind": "message.delivered", "body": "{}", "created_at": now, "since": now, "next_at": now}
    return Callback.objects.get_or_create(endpoint=endpoint, event_id="evt_1", defaults=kept)[0]


def an_erasure(service) -> Erasure:
    made = erasure.ask(service, f"+4477009{service.pk % 100_000:05d}", reason="Request 1", by=BY)
    done = {"state": "done", "number": "", "done_at": timezone.now()}
    Erasure.objects.filter(pk=made.pk).update(**done)
    return made


def an_approval(service) -> ApprovalRequest:
    """Of a send that somebody else made; rules are gone again, so that other sends need nobody."""
    found = ApprovalRequest.objects.filter(service=service, state="open").first()
    if found is None:
        rules = ApprovalRules.objects.create(service=service, size=1, size_approvers=1)
        found = a_send(service).approvals.get()
        rules.delete()
    return found


def an_opt_out(service) -> OptOut:
    return OptOut.objects.get_or_create(service=service, msisdn="+447700900001", source="page")[0]


def an_audience(service) -> SavedAudience:
    found = service.audiences.filter(archived_at=None).first()
    packed = packing.pack_pasted("07700 900001", country="GB", limits=Limits())
    return found or saved.create(service, packed, name=f"List {service.audiences.count()}", by=BY)


def a_recurring(service) -> RecurringSend:
    user = a_colleague(service)
    if (found := service.recurring_sends.exclude(state="ended").first()) is not None:
        return found
    now = timezone.now()
    draft = Draft.objects.create(
        service=service,
        audience=an_audience(service),
        text="Again",
        sender=service.senders.first(),
        created_by=user,
        recurs_since=now,
    )
    found = RecurringSend.objects.create(
        service=service,
        name=f"Again {draft.pk}",
        draft=draft,
        every="daily",
        at=time(12),
        time_zone=service.time_zone,
        starts_on=timezone.localdate() + timedelta(days=2),
        run_by=user,
        passed_until=now,
        next_at=now + timedelta(days=2),
        look_at=now + timedelta(days=2),
    )
    Draft.objects.filter(pk=draft.pk).update(recurring=found)
    return found


def a_standing_approval(service) -> StandingApproval:
    asked = ApprovalRequest.objects.filter(service=service).first() or an_approval(service)
    now = timezone.now()
    told = {"label": "x@example.test", "parts": {}, "rules": [], "recipients": 1, "most": 1, "given_at": now}
    return StandingApproval.objects.get_or_create(
        recurring=a_recurring(service),
        by=a_colleague(service),
        ended_at=None,
        defaults={**told, "request": asked, "expires_at": now + timedelta(days=90)},
    )[0]


def a_colleague(service) -> User:
    user = User.objects.get_or_create(email=f"colleague@{service.slug}.test")[0]
    Membership.objects.get_or_create(user=user, service=service, role=Role.COMPOSER)
    return user


def an_invitation(service) -> Invitation:
    return people.invite(service, "new@example.test", [Role.AUDITOR], by=BY)


def a_report_file(service) -> ReportFile:
    return ReportFile.objects.get_or_create(
        service=service, kind="csv", query={"by": "send", "from": "2026-03-01", "until": "2026-03-31"}
    )[0]


def a_report_by_mail(service) -> ReportSchedule:
    kept = {"next_at": timezone.now(), "made_by": "x"}
    return ReportSchedule.objects.get_or_create(service=service, name="Weekly", defaults=kept)[0]


def an_sms(service) -> InboundMessage:
    kept = {"service": service, "raw": b"not json", "received_at": timezone.now(), "why": "unreadable"}
    kept["conversation"] = a_conversation(service)
    return InboundMessage.objects.get_or_create(dedupe=b"%016d" % service.pk, defaults=kept)[0]


def a_conversation(service) -> Conversation:
    known = {"service": service, "msisdn": f"+4477009{service.pk % 100_000:05d}", "address": "72345"}
    found = Conversation.objects.get_or_create(known | {"last_at": timezone.now()}, **known)[0]
    told = {"service": service, "msisdn": found.msisdn, "address": "72345", "text": "Can I come at four?"}
    told |= {"raw": b"{}", "received_at": timezone.now(), "conversation": found}
    sms = InboundMessage.objects.get_or_create(dedupe=b"t%015d" % service.pk, defaults=told)[0]
    Conversation.objects.filter(pk=found.pk).update(last_inbound_id=sms.pk, waiting_since=sms.received_at)
    return found


def a_keyword(service) -> KeywordRule:
    return KeywordRule.objects.get_or_create(service=service, keyword="C", folded="c")[0]
