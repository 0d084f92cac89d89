"""People of a service: who they are, what they may do, inviting and removing; and the page that an invitation's link opens."""

from smtplib import SMTPException
from typing import Any
from urllib.parse import urlencode

import structlog
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.core.mail import send_mail
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from portal import mail_server, people
from portal.access import FORM, WRITE, actor, service_page
from portal.forms.people import InviteForm, JoinForm, RolesForm
from portal.models import Invitation, Membership, User
from portal.views.confirm_base import Confirmation, ConfirmView
from sms.models import Service

log = structlog.get_logger(__name__)
PAGE = 50


@service_page("configure", FORM)
def people_page(request: HttpRequest, service: Service) -> HttpResponse:
    form = InviteForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, service, form)
    try:
        invitation = people.invite(
            service,
            form.cleaned_data["email"],
            form.cleaned_data["roles"],
            by=actor(request),
        )
    except people.PeopleError as problem:
        form.add_error(problem.field, str(problem))
        return _page(request, service, form)
    if _mail(invitation):
        messages.success(
            request, f"{invitation.email} is invited. The link went out by e-mail, and stands below."
        )
    else:
        messages.warning(
            request,
            f"{invitation.email} is invited, but {_why_not()}. Copy the link below and pass it on yourself.",
        )
    return redirect("people", service=service.slug)


def _page(request: HttpRequest, service: Service, form: InviteForm) -> HttpResponse:
    mine = Prefetch(
        "memberships",
        queryset=Membership.objects.filter(service=service).order_by("role"),
        to_attr="roles_here",
    )
    members = User.objects.filter(memberships__service=service).distinct().order_by("email")
    search = request.GET.get("q", "").strip()[:100]
    if search:
        members = members.filter(email__icontains=search)
    page = Paginator(members.prefetch_related(mine), PAGE).get_page(request.GET.get("page"))
    waiting = service.invitations.filter(accepted_at=None, withdrawn_at=None).select_related("made_by")[:PAGE]
    context = {
        "form": form,
        "page": page,
        "search": search,
        "extra": f"{urlencode({'q': search})}&" if search else "",
        "waiting": [(one, _link(one)) for one in waiting],
        "now": timezone.now(),
    }
    return render(request, "settings/people.html", context, status=422 if form.errors else 200)


def _link(invitation: Invitation) -> str:
    return f"{settings.PUBLIC_URL}{reverse('invitation', args=[people.token_of(invitation)])}"


def _find(service: Service, pk: int) -> User:
    return get_object_or_404(User.objects.filter(memberships__service=service).distinct(), pk=pk)


def _why_not() -> str:
    return (
        "the e-mail could not be sent" if mail_server.is_set_up() else "no mail server is set up (EMAIL_URL)"
    )


def _mail(invitation: Invitation) -> bool:
    """Whether it was sent. The invitation is valid either way."""
    if not mail_server.is_set_up():
        return False
    context = {"invitation": invitation, "link": _link(invitation)}
    try:
        sent = send_mail(
            f"You are invited to {invitation.service.name} on Textdesk",
            render_to_string("settings/invitation.txt", context),
            None,
            [invitation.email],
        )
    except (OSError, SMTPException) as problem:
        log.warning("invitation_not_mailed", invitation=invitation.pk, error=type(problem).__name__)
        return False
    return bool(sent)


@service_page("configure", FORM)
def person(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    found = _find(service, pk)
    held = list(Membership.objects.filter(service=service, user=found).values_list("role", flat=True))
    form = RolesForm(request.POST if request.method == "POST" else None, initial={"roles": held})
    if request.method == "POST" and form.is_valid():
        try:
            people.set_roles(service, found, form.cleaned_data["roles"], by=actor(request))
        except people.PeopleError as problem:
            form.add_error(problem.field, str(problem))
        else:
            messages.success(request, f"Saved. It counts for {found.email} from now on.")
            return redirect("people", service=service.slug)
    context = {"form": form, "person": found}
    return render(request, "settings/person.html", context, status=422 if form.errors else 200)


class RemovePerson(ConfirmView):
    act = "configure"
    back, crumb = "people", "People"

    def find(self) -> User:
        return _find(self.service, self.kwargs["pk"])

    def confirmation(self) -> Confirmation:
        return Confirmation(
            title=f"Remove {self.thing.email}?",
            says=(
                f"They lose access to {self.service.name} at once, also where they are signed in now.",
                "What they did stays in the record, and sends that they scheduled go out as planned.",
            ),
            button="Remove",
        )

    def confirmed(self, form: Any) -> HttpResponse | None:
        try:
            people.set_roles(self.service, self.thing, (), by=actor(self.request))
        except people.PeopleError as problem:
            messages.error(self.request, str(problem))
        else:
            words = f"{self.thing.email} has no access to {self.service.name} any more."
            messages.success(self.request, words)
        return redirect("services") if self.request.user == self.thing else None


@service_page("configure", WRITE)
def invitation_withdraw(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    found = get_object_or_404(Invitation.objects.select_related("service"), service=service, pk=pk)
    if people.withdraw(found, by=actor(request)):
        messages.success(request, f"The invitation of {found.email} is withdrawn.")
    else:
        messages.info(request, "That invitation was used or withdrawn already.")
    return redirect("people", service=service.slug)


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
        form = JoinForm(request.POST if request.method == "POST" else None, email=found.email)
        if request.method == "POST" and form.is_valid():
            made = people.join_again(found, password=form.cleaned_data["password"])
            login(request, made, backend=settings.AUTHENTICATION_BACKENDS[0])
            return redirect("home", service=found.service.slug)
        context["form"] = form
        return render(request, "settings/invitation.html", context, status=422 if form.errors else 200)
    context["is_mine"] = account is not None and request.user == account
    if request.method == "POST" and account is not None and context["is_mine"]:
        people.accept(found, account, by=actor(request))
        messages.success(request, f"Welcome to {found.service.name}.")
        return redirect("home", service=found.service.slug)
    return render(request, "settings/invitation.html", context)
