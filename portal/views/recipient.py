"""The page of one person: everything to and from one number of a service, and what is done from there. The number is in no address."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access import WRITE, actor, service_page
from portal.forms.person import ConsentForm, EvidenceForm
from portal.presenters.person_timeline import shown
from portal.views.draft_opened import opened
from portal.views.form_base import form_page
from portal.views.reveal_base import RevealView
from sms.catalogue import policy_groups
from sms.compose.drafts.for_one import draft_to
from sms.inbound import optouts
from sms.models import Conversation, InboundMessage, OptOut, Service
from sms.models.sql.clock import corrected_now
from sms.sends.person.identity import Person, person_of
from sms.sends.person.timeline import PlaceInTimeline, timeline_of

ENTRIES = 20  # of the timeline: each with all that happened to it
CONVERSATIONS = 5  # more than a person writes to
GONE = gettext_lazy("The number is kept no longer, so nothing can be done with it from here.")


@service_page("see")
def person_page(request: HttpRequest, service: Service, person_key: str) -> HttpResponse:
    return _page(request, _found(service, person_key))


@service_page("opt_out", WRITE)
def person_opt_out(request: HttpRequest, service: Service, person_key: str) -> HttpResponse:
    person, form = _found(service, person_key), EvidenceForm(request.POST)
    if not form.is_valid():
        return _page(request, person, opt_out=form)
    if not person.number:
        messages.error(request, GONE)
    elif optouts.opt_out(
        service.pk,
        [optouts.Refusal(person.number, form.cleaned_data["evidence"])],
        by=actor(request),
        source=OptOut.Source.PAGE,
    ):
        messages.success(request, _("%(number)s is opted out from now on.") % {"number": person.shown})
    else:
        messages.info(request, _("%(number)s was opted out already.") % {"number": person.shown})
    return redirect("person_page", service=service.slug, person_key=person_key)


@service_page("compose", WRITE)
def person_write(request: HttpRequest, service: Service, person_key: str) -> HttpResponse:
    """A draft to this person, which opens next."""
    person = _found(service, person_key)
    if not person.number:
        messages.error(request, GONE)
        return redirect("person_page", service=service.slug, person_key=person_key)
    return opened(request, draft_to(service, person.number, by=actor(request)))


@service_page("configure", WRITE)
def person_consent(request: HttpRequest, service: Service, person_key: str) -> HttpResponse:
    """What a policy group of Webex Connect says of the person; asked now, and kept nowhere."""
    person, form = _found(service, person_key), ConsentForm(request.POST, service=service)
    if not form.is_valid():
        return _page(request, person, consent=form)
    answer, group = "", form.cleaned_data["group"]
    try:
        policy = policy_groups.policy_of(service) if person.number else None
        if not person.number:
            form.add_error(None, GONE)
        elif policy is None:
            form.add_error(None, _("Connect Contact Policy first: its profile key is missing."))
        else:
            answer = policy_groups.look_up(policy, group, person.number, by=actor(request))
    except policy_groups.PolicyError as problem:
        form.add_error(None, str(problem))
    return _page(request, person, consent=form, answer=answer, asked=group)


class RevealPerson(RevealView):
    crumb = gettext_lazy("Person")
    asks = gettext_lazy("Show the number of this person?")
    audited = "person.revealed"

    def find(self) -> Person | None:
        person = _found(self.service, self.kwargs["person_key"])
        return person if person.number else None

    def number(self) -> str:
        person: Person = self.thing
        return person.number

    def get_success_url(self) -> str:
        return reverse("person_page", args=[self.service.slug, self.kwargs["person_key"]])


def _found(service: Service, person_key: str) -> Person:
    person = person_of(service, person_key)
    if person is None:
        raise Http404
    return person


def _conversations(person: Person) -> list[Conversation]:
    """With this person, one for each of our senders that they wrote to; the newest first."""
    theirs = InboundMessage.objects.filter(service=person.service, msisdn__in=person.forms)
    found = Conversation.objects.filter(pk__in=theirs.values("conversation"))
    return sorted(found, key=lambda one: one.last_inbound_id, reverse=True)[:CONVERSATIONS]


def _page(request: HttpRequest, person: Person, **given: object) -> HttpResponse:
    service, may = person.service, request.may  # type: ignore[attr-defined]
    after = PlaceInTimeline.read(request.GET.get("before", ""))
    now = corrected_now()
    timeline = timeline_of(person, after=after, page=ENTRIES, audited="audit" in may, now=now)
    context = {
        "person": person,
        "entries": [shown(one) for one in timeline.entries],
        "next_before": timeline.older,
        "from_start": after == PlaceInTimeline(),
        "refusal": timeline.refusal,
        "conversations": _conversations(person),
        "problem": timeline.problem,
        "opt_out": EvidenceForm(),
        "consent": ConsentForm(service=service) if "configure" in may else None,
    }
    return form_page(request, "people/page.html", context | given)
