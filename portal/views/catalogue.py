"""Catalogue pages: senders, contact-policy groups and smartlinks, each with a list, a form, and what became of it."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from portal.access import FORM, WRITE, actor, service_page
from portal.forms.catalogue import GroupForm, PolicyConnectionForm, SenderForm, SmartlinkForm
from portal.forms.opt_outs import NumberForm
from portal.presenters.form_changes import changes
from portal.views import catalogue_base
from sms.catalogue import policy_groups, senders
from sms.models import (
    ContactPolicyGroup,
    PolicyConnection,
    Sender,
    Service,
    Smartlink,
)
from sms.values.msisdn import mask

SENDER = catalogue_base.Noun(
    "sender",
    "Senders",
    "The numbers and names that messages come from.",
    "senders",
    "sender",
    "sender_new",
    SenderForm,
)
GROUP = catalogue_base.Noun(
    "policy group",
    "Contact-policy groups",
    "With one, Webex Connect checks consent or frequency before it sends.",
    "policy_groups",
    "policy_group",
    "policy_group_new",
    GroupForm,
)
SMARTLINK = catalogue_base.Noun(
    "smartlink",
    "Smartlinks",
    "Links that are made in Webex Connect. They give no click receipts: for clicks use a short-link domain.",
    "smartlinks",
    "smartlink",
    "smartlink_new",
    SmartlinkForm,
)


# --- senders ------------------------------------------------------------------------------------------------------------


@service_page("see")
def sender_list(request: HttpRequest, service: Service) -> HttpResponse:
    """With the use of the last 30 days."""

    def cells(rows: list[Sender]) -> dict[int, list[str]]:
        used = senders.usage([one.pk for one in rows], now=timezone.now())
        return {
            one.pk: [
                one.get_kind_display() + (", default" if one.is_default else ""),
                one.countries or "Any",
                f"{used[one.pk].messages:,}",
                f"{used[one.pk].failed:,}",
            ]
            for one in rows
        }

    heads = ["Kind", "Countries", "Messages in 30 days", "Failed"]
    return catalogue_base.listed(request, SENDER, service.senders.all(), heads, cells)


@service_page("configure", FORM)
def sender_new(request: HttpRequest, service: Service) -> HttpResponse:
    """Add one."""
    return catalogue_base.edited(request, service, SENDER)


@service_page("configure", FORM)
def sender_edit(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Change one."""
    return catalogue_base.edited(request, service, SENDER, get_object_or_404(service.senders, pk=pk))


@service_page("see")
def sender(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """One, with its use and why messages failed."""
    found = get_object_or_404(service.senders, pk=pk)
    used = senders.usage([found.pk], now=timezone.now())[found.pk]
    judged = [
        (where, senders.judge(found, where)) for where in dict.fromkeys((service.default_country, "US", "CA"))
    ]
    context = {
        "noun": SENDER,
        "thing": found,
        "facts": [
            ("Kind", found.get_kind_display()),
            ("Default", "Yes" if found.is_default else "No"),
            ("Countries", found.countries or "Any, as far as networks take it"),
            ("Registration", found.get_registration_display() or "None noted"),
            ("Note", found.note or "–"),
        ],
        "used": used,
        "reasons": used.failures[: senders.SHOWN_REASONS],
        "judged": judged,
        "toll_free": senders.is_toll_free(found.address),
        "edit": "sender_edit",
        "remove": "sender_remove",
        "sends": found.sends.order_by("-pk")[:10],
    }
    return render(request, "catalogue/thing.html", context)


@service_page("configure", WRITE)
def sender_remove(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Delete, archive or take back."""
    return catalogue_base.removed(request, service, SENDER, get_object_or_404(service.senders, pk=pk))


# --- contact-policy groups ----------------------------------------------------------------------------------------------


@service_page("see")
def group_list(request: HttpRequest, service: Service) -> HttpResponse:
    """With what was refused by their rules."""

    def cells(rows: list[ContactPolicyGroup]) -> dict[int, list[str]]:
        refused = policy_groups.results([one.pk for one in rows], now=timezone.now())
        return {
            one.pk: [one.group_id, _checks(one), f"{sum(count for _, count in refused[one.pk]):,}"]
            for one in rows
        }

    heads = ["Provider group id", "Checks", "Refused in 90 days"]
    return catalogue_base.listed(request, GROUP, service.policy_groups.all(), heads, cells, connect=True)


def _checks(group: ContactPolicyGroup) -> str:
    parts = [("opt-in", group.check_consent), ("frequency cap", group.apply_frequency_cap)]
    return " and ".join(name for name, on in parts if on)


@service_page("configure", FORM)
def group_new(request: HttpRequest, service: Service) -> HttpResponse:
    """Add one."""
    return catalogue_base.edited(request, service, GROUP)


@service_page("configure", FORM)
def group_edit(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Change one."""
    return catalogue_base.edited(request, service, GROUP, get_object_or_404(service.policy_groups, pk=pk))


@service_page("see")
def group(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """One, with its results by reason."""
    return _group_page(request, service, get_object_or_404(service.policy_groups, pk=pk))


@service_page("configure", WRITE)
def group_look_up(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """A number's consent. It comes by POST and goes out by POST, so that it stands in no address and no log."""
    found = get_object_or_404(service.policy_groups.select_related("service"), pk=pk)
    form = NumberForm(request.POST, service=service)
    if not form.is_valid():
        return _group_page(request, service, found, form=form, status=422)
    number = form.cleaned_data["number"]
    try:
        policy = policy_groups.policy_of(service)
        if policy is None:
            raise policy_groups.PolicyError("Connect Contact Policy first: its profile key is missing.")
        answer = f"{mask(number)} {policy_groups.look_up(policy, found, number, by=actor(request))}"
    except policy_groups.PolicyError as problem:
        form.add_error("number", str(problem))
        return _group_page(request, service, found, form=form, status=422)
    return _group_page(request, service, found, form=form, answer=answer)


def _group_page(
    request: HttpRequest,
    service: Service,
    found: ContactPolicyGroup,
    *,
    form: NumberForm | None = None,
    answer: str = "",
    status: int = 200,
) -> HttpResponse:
    refused = policy_groups.results([found.pk], now=timezone.now())[found.pk]
    context = {
        "noun": GROUP,
        "thing": found,
        "facts": [
            ("Provider group id", found.group_id),
            ("Checks", _checks(found)),
            ("Description", found.description or "–"),
        ],
        "results": [(code, policy_groups.REASONS[code], count) for code, count in refused],
        "is_group": True,
        "form": form or NumberForm(service=service),
        "answer": answer,
        "edit": "policy_group_edit",
        "remove": "policy_group_remove",
        "sends": found.sends.order_by("-pk")[:10],
    }
    return render(request, "catalogue/thing.html", context, status=status)


@service_page("configure", WRITE)
def group_remove(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Delete, archive or take back."""
    return catalogue_base.removed(request, service, GROUP, get_object_or_404(service.policy_groups, pk=pk))


@service_page("configure", FORM)
def policy_connection(request: HttpRequest, service: Service) -> HttpResponse:
    """Where Contact Policy is asked, and the groups that it lists."""
    stored = PolicyConnection.objects.filter(service=service).first() or PolicyConnection(service=service)
    form = PolicyConnectionForm(request.POST if request.method == "POST" else None, instance=stored)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.save()
            catalogue_base.audit(request, service, GROUP, service, "connection_changed", **changes(form))
        messages.success(request, "Saved.")
        return redirect("policy_connection", service=service.slug)
    listed, problem = None, ""
    if request.method != "POST" and request.GET.get("list") == "1":
        try:
            policy = policy_groups.policy_of(service)
            listed = policy_groups.groups(policy) if policy else None
            problem = "" if policy else "The profile key is missing."
        except policy_groups.PolicyError as error:
            problem = str(error)
    known = set(service.policy_groups.values_list("group_id", flat=True))
    context = {"form": form, "listed": listed, "problem": problem, "known": known, "noun": GROUP}
    return render(request, "catalogue/policy_connection.html", context, status=422 if form.errors else 200)


# --- smartlinks ---------------------------------------------------------------------------------------------------------


@service_page("see")
def smartlink_list(request: HttpRequest, service: Service) -> HttpResponse:
    """With what to write in a text."""

    def cells(rows: list[Smartlink]) -> dict[int, list[str]]:
        return {one.pk: [one.token, f"{one.validity:,} minutes"] for one in rows}

    return catalogue_base.listed(
        request, SMARTLINK, service.smartlinks.all(), ["In the text", "Valid for"], cells
    )


@service_page("configure", FORM)
def smartlink_new(request: HttpRequest, service: Service) -> HttpResponse:
    """Add one."""
    return catalogue_base.edited(request, service, SMARTLINK)


@service_page("see")
def smartlink(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """One, with what to write in a text."""
    found = get_object_or_404(service.smartlinks, pk=pk)
    context = {
        "noun": SMARTLINK,
        "thing": found,
        "facts": [
            ("In the text", found.token),
            ("Valid for", f"{found.validity:,} minutes"),
            ("Clicks", "Webex Connect sends no click receipts for smartlinks."),
        ],
        "edit": "smartlink_edit",
        "remove": "smartlink_remove",
    }
    return render(request, "catalogue/thing.html", context)


@service_page("configure", FORM)
def smartlink_edit(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Change one."""
    return catalogue_base.edited(request, service, SMARTLINK, get_object_or_404(service.smartlinks, pk=pk))


@service_page("configure", WRITE)
def smartlink_remove(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Delete, archive or take back."""
    return catalogue_base.removed(request, service, SMARTLINK, get_object_or_404(service.smartlinks, pk=pk))
