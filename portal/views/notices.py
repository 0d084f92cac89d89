"""A person's notices, of all their services, and how they want to be told."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import mail_server
from portal.access import actor
from portal.forms.notices import NoticeForm
from portal.forms.numbers import key_of
from portal.limits import PAGE
from portal.models import User
from portal.presenters.keyset import keyset_page
from portal.presenters.notice_pages import address_of
from portal.views.form_base import form_page, typed
from sms import notices
from sms.models import NoticeChoices
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now


@require_safe
def notice_list(request: HttpRequest) -> HttpResponse:
    """`?unread=1` leaves out what was read."""
    viewer: Any = request.user
    rows = notices.visible_to(viewer).select_related("service").order_by("-pk")
    unread = request.GET.get("unread") == "1"
    if unread:
        rows = rows.filter(seen_at=None)
    newest = rows.first()
    if before := key_of(request.GET, "before"):
        rows = rows.filter(pk__lt=before)
    page = keyset_page(list(rows[: PAGE + 1]), PAGE)
    context = {
        "rows": page.rows,
        "next_before": page.next_key,
        "query": "unread=1" if unread else "",
        "only_unread": unread,
        "newest": newest.pk if newest else 0,
        "choices": NoticeChoices.objects.filter(person=viewer).first(),
    }
    return render(request, "notices/list.html", context)


@require_safe
def notice(request: HttpRequest, pk: int) -> HttpResponse:
    """Leads to what it is about, and counts as read from now on."""
    viewer: Any = request.user
    found = get_object_or_404(notices.visible_to(viewer).select_related("service"), pk=pk)
    notices.mark_read(viewer, pk=pk)
    return redirect(address_of(found))


@require_POST
def notice_read(request: HttpRequest, pk: int) -> HttpResponse:
    viewer: Any = request.user
    get_object_or_404(notices.visible_to(viewer), pk=pk)
    notices.mark_read(viewer, pk=pk)
    return redirect("notices")


@require_POST
def notices_read(request: HttpRequest) -> HttpResponse:
    """All up to the newest that was on the page: what came since was not seen."""
    viewer: Any = request.user
    notices.mark_read(viewer, until=key_of(request.POST, "until") or 0)
    messages.success(request, _("Marked as read."))
    return redirect("notices")


@require_http_methods(["GET", "HEAD", "POST"])
def own_choices(request: HttpRequest) -> HttpResponse:
    viewer: Any = request.user
    person = User.objects.get(pk=viewer.pk)
    choices = NoticeChoices.objects.filter(person=person).first() or NoticeChoices(person=person)
    form = NoticeForm(**typed(request), person=person, choices=choices)
    if form.is_valid():
        with transaction.atomic():
            before = (choices.ways, choices.digest_hour)
            choices.ways, choices.digest_hour = form.ways, form.cleaned_data["digest_hour"]
            choices.save()
            notices.follow_choices(person, choices, now=corrected_now())
            if before != (choices.ways, choices.digest_hour):
                said = {"ways": choices.ways, "digest_hour": choices.digest_hour}
                audit("user.notices_changed", person, by=actor(request), **said)
        messages.success(request, _("Saved."))
        return redirect("own_notices")
    context = {"form": form, "choices": choices, "mails": mail_server.is_set_up()}
    return form_page(request, "account/notices.html", context)


@require_POST
def own_mail_again(request: HttpRequest) -> HttpResponse:
    """The person says that mail arrives again."""
    viewer: Any = request.user
    notices.try_again(viewer)
    messages.success(request, _("The next notice is sent by e-mail again."))
    return redirect("own_notices")
