"""People of a service: who they are, what they may do, inviting and removing; and the page that an invitation's link opens."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from portal import factors, mail_server, people, sessions
from portal.access import FORM, actor, service_page
from portal.forms.people import InviteForm, JoinForm, RolesForm
from portal.forms.texts import text_of
from portal.limits import PAGE
from portal.models import Invitation, Membership, Role, User
from portal.views.button_base import Said, info
from portal.views.confirm_base import Confirmation, ConfirmView, asking
from portal.views.form_base import form_page, refused_beside, typed
from sms.models import Actor, SendState, Service
from sms.words import listed, number


@service_page("configure", FORM)
def people_page(request: HttpRequest, service: Service) -> HttpResponse:
    form = InviteForm(**typed(request))
    if form.is_valid():
        email, roles = form.cleaned_data["email"], form.cleaned_data["roles"]
        with refused_beside(form, people.PeopleError):
            invitation = people.invite(service, email, roles, by=actor(request))
            _say(request, invitation)
            return redirect("people", service=service.slug)
    return _page(request, service, form)


def _say(request: HttpRequest, invitation: Invitation) -> None:
    """The invitation is valid whether or not it could be mailed."""
    words = render_to_string("settings/invitation.txt", {"invitation": invitation, "link": _link(invitation)})
    subject = _("You are invited to %(service)s on Textdesk") % {"service": invitation.service.name}
    if mail_server.send(subject, words, invitation.email):
        says = _("%(email)s is invited. The link went out by e-mail, and stands below.")
        messages.success(request, says % {"email": invitation.email})
        return
    says = _(
        "%(email)s is invited, but the e-mail could not be sent. Copy the link below and pass it on yourself."
    )
    if not mail_server.is_set_up():
        says = _(
            "%(email)s is invited, but no mail server is set up (EMAIL_URL). Copy the link below and pass it on yourself."
        )
    messages.warning(request, says % {"email": invitation.email})


def _page(request: HttpRequest, service: Service, form: InviteForm) -> HttpResponse:
    held = Membership.objects.filter(service=service).order_by("role")
    mine = Prefetch("memberships", queryset=held, to_attr="roles_here")
    members = User.objects.filter(memberships__service=service).distinct().order_by("email")
    search = text_of(request.GET, "q", most=100).strip()
    if search:
        members = members.filter(email__icontains=search)
    members = members.annotate(has_factor=factors.HAS_ONE).select_related("notice_choices")
    page = Paginator(members.prefetch_related(mine), PAGE).get_page(request.GET.get("page"))
    waiting = service.invitations.filter(accepted_at=None, withdrawn_at=None).select_related("made_by")[:PAGE]
    context = {
        "form": form,
        "page": page,
        "search": search,
        "extra": f"{urlencode({'q': search})}&" if search else "",
        # whoever opens a link has that account in hand, and only who made it answers for that
        "waiting": [(one, _link(one) if one.made_by == request.user else "") for one in waiting],
        "held_back": people.roles_that_wait(service)[:PAGE],
        "now": timezone.now(),
    }
    return form_page(request, "settings/people.html", context)


def _link(invitation: Invitation) -> str:
    return f"{settings.PUBLIC_URL}{reverse('invitation', args=[people.token_of(invitation)])}"


@service_page("configure", FORM, of=User.objects.distinct(), through="memberships__service")
def person(request: HttpRequest, service: Service, found: User) -> HttpResponse:
    held = list(Membership.objects.filter(service=service, user=found).values_list("role", flat=True))
    form = RolesForm(**typed(request), initial={"roles": held})
    if form.is_valid():
        with refused_beside(form, people.PeopleError):
            changed = people.set_roles(service, found, form.cleaned_data["roles"], by=actor(request))
            _say_roles(request, service, found, form.cleaned_data["roles"], changed=changed)
            return redirect("people", service=service.slug)
    viewer: Any = request.user
    may_reset = factors.may_reset(found, by=viewer) and factors.has_one(found)
    context = {"form": form, "person": found, "may_reset": may_reset}
    return form_page(request, "settings/person.html", context)


def _say_roles(
    request: HttpRequest, service: Service, found: User, wanted: list[str], *, changed: bool
) -> None:
    held = set(Membership.objects.filter(service=service, user=found).values_list("role", flat=True))
    waits = [Role(role).in_sentence for role in wanted if role not in held]
    if changed or not waits:
        says = _("Saved. It counts for %(email)s from now on.")
        messages.success(request, says % {"email": found.email})
    if waits:
        # Translators: roles are some of composer, approver, admin and auditor.
        says = _(
            "%(email)s is not %(roles)s yet. While approval is on, this waits for another admin, who can confirm it under "
            "Set-up › Rules › Waiting changes. Without an answer, it counts after 24 hours."
        )
        messages.warning(request, says % {"email": found.email, "roles": listed(waits)})


class RemovePerson(ConfirmView):
    act = "configure"
    back, crumb = "people", gettext_lazy("People")
    refusals = (people.PeopleError,)

    def find(self) -> User:
        here = User.objects.filter(memberships__service=self.service).distinct()
        return get_object_or_404(here, pk=self.kwargs["pk"])

    def confirmation(self) -> Confirmation:
        planned = self.service.sends.filter(created_by=self.thing, state=SendState.SCHEDULED).count()
        return Confirmation(
            _("Remove %(email)s?") % {"email": self.thing.email},
            _("They lose access to %(service)s at once, also where they are signed in now.")
            % {"service": self.service.name},
            ngettext(
                "What they did stays in the record. They scheduled %(n)s send: what is planned goes out.",
                "What they did stays in the record. They scheduled %(n)s sends: what is planned goes out.",
                planned,
            )
            % {"n": number(planned)},
            button=_("Remove"),
        )

    def confirmed(self, form: Any) -> Said | HttpResponse:
        service, gone = self.service, self.thing
        people.set_roles(service, gone, (), by=self.by)
        facts = {"email": gone.email, "service": service.name}
        said = Said(_("%(email)s has no access to %(service)s any more.") % facts)
        if self.request.user != gone:
            return said
        said.on(self.request)
        return redirect("services")


class SignOutPerson(ConfirmView):
    act = "configure"
    back, crumb = "people", gettext_lazy("People")

    def find(self) -> User:
        here = User.objects.filter(memberships__service=self.service).distinct()
        return get_object_or_404(here, pk=self.kwargs["pk"])

    def confirmation(self) -> Confirmation:
        devices = len(sessions.open_of(self.thing, this=None))
        return Confirmation(
            _("Sign %(email)s out everywhere?") % {"email": self.thing.email},
            ngettext(
                "They are signed in on %(n)s device, for all services. That ends at once, and they get a mail about it.",
                "They are signed in on %(n)s devices, for all services. That ends at once, and they get a mail about it.",
                devices,
            )
            % {"n": number(devices)},
            _("They keep their roles, and sign in again with their password."),
            button=_("Sign out"),
        )

    def confirmed(self, form: Any) -> Said:
        ended = people.sign_out(self.thing, by=self.by, service=self.service.slug)
        says = ngettext(
            "%(email)s is signed out (%(n)s device).", "%(email)s is signed out (%(n)s devices).", ended
        )
        return Said(says % {"email": self.thing.email, "n": number(ended)})


def _ask_withdraw(invitation: Invitation) -> Confirmation:
    return Confirmation(
        _("Withdraw the invitation of %(email)s?") % {"email": invitation.email},
        _("The link that was sent stops working: it offered %(roles)s.") % {"roles": invitation.role_names}
        if invitation.role_names
        else _("The link that was sent stops working: it offered no role."),
        _("You can invite them again at any time."),
        button=_("Withdraw it"),
    )


@asking("configure", Invitation, asks=_ask_withdraw, back="people", at="", crumb=gettext_lazy("People"))
def invitation_withdraw(invitation: Invitation, by: Actor) -> Said:
    if people.withdraw(invitation, by=by):
        return Said(_("The invitation of %(email)s is withdrawn.") % {"email": invitation.email})
    return info(_("That invitation was used or withdrawn already."))


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """What the link opens: join with an account, make one, or why neither is possible."""
    try:
        return _join(request, people.invitation_of(token))
    except people.InvitationGone as problem:
        return render(request, "settings/invitation.html", {"gone": str(problem)}, status=410)


def _join(request: HttpRequest, found: Invitation) -> HttpResponse:
    account = User.objects.filter(email__iexact=found.email).first()
    context: dict[str, Any] = {"invitation": found, "account": account, "here": request.path}
    if account is None and not request.user.is_authenticated:
        form = JoinForm(**typed(request), email=found.email)
        if form.is_valid():
            made = people.join(found, password=form.cleaned_data["password"])
            login(request, made, backend=settings.AUTHENTICATION_BACKENDS[0])
            return _welcome(request, found, made)
        context["form"] = form
        return form_page(request, "settings/invitation.html", context)
    context["is_mine"] = account is not None and request.user == account
    if request.method == "POST" and account is not None and context["is_mine"]:
        people.accept(found, account, by=actor(request))
        messages.success(request, _("Welcome to %(service)s.") % {"service": found.service.name})
        return _welcome(request, found, account)
    return render(request, "settings/invitation.html", context)


def _welcome(request: HttpRequest, found: Invitation, user: User) -> HttpResponse:
    """Home, or the list of services where every role of the invitation waits."""
    held = set(Membership.objects.filter(service=found.service, user=user).values_list("role", flat=True))
    if waits := [Role(role).in_sentence for role in found.roles if role not in held]:
        # Translators: roles are some of composer, approver, admin and auditor.
        says = _("Your role as %(roles)s of %(service)s waits for another admin there, for 24 hours at most.")
        messages.info(request, says % {"roles": listed(waits), "service": found.service.name})
    return redirect("home", service=found.service.slug) if held else redirect("services")
