"""A draft that is written no more, because it was sent or is sent again and again: its pages lead to what it became."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from sms.models import Draft


def what_it_became(draft: Draft) -> str:
    """The address of its send, or of the recurring send that it is content of; of a discarded one, that of the list it is in."""
    if draft.discarded_at is not None:
        return reverse("drafts", kwargs={"service": draft.service.slug}, query={"discarded": "1"})
    name, pk = ("send", draft.send_id) if draft.send_id else ("recurring_send", draft.recurring_id)
    return reverse(name, kwargs={"service": draft.service.slug, "pk": pk})


def in_use(request: HttpRequest, draft: Draft) -> HttpResponse:
    says = _("This draft was sent. Here is the send.")
    if draft.discarded_at is not None:
        says = _("This draft was discarded. Bring it back to go on with it.")
    elif not draft.send_id:
        says = _("This draft is sent again and again. To write another text, change it from here on.")
    messages.info(request, says)
    return redirect(what_it_became(draft))
