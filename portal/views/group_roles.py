"""Single sign-on as superusers see it: which groups give which roles, and taking back what binds a person to the issuer."""

from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods

from portal.access import FORM, actor
from portal.forms.group_roles import GroupRoleForm
from portal.models import GroupRole
from portal.views.confirm_base import Confirmation, ask
from portal.views.form_base import form_page, typed
from sms import guard
from sms.models import Service
from sms.models.audit import audit
from sms.words import KeptSentence, retold

ROLES_OF = KeptSentence(gettext_noop("Roles of the group %(group)s"))
GROUP = KeptSentence(gettext_noop("group %(name)s"))
NOTHING = gettext_noop("nothing")


def _superusers_only(request: HttpRequest) -> None:
    if not request.user.is_superuser:
        raise PermissionDenied


@require_http_methods(FORM)
def group_roles(request: HttpRequest) -> HttpResponse:
    _superusers_only(request)
    form = GroupRoleForm(**typed(request))
    if form.is_valid():
        _add(request, GroupRole(**form.gives))
        return redirect("group_roles")
    context = {
        "form": form,
        "rows": GroupRole.objects.select_related("service").defer(*Service.secrets("service")),
        "bound": SocialAccount.objects.select_related("user").order_by("user__email"),
        "issuer": settings.OIDC_ISSUER,
        "claim": settings.OIDC_ROLE_CLAIM,
        "callback": f"{settings.PUBLIC_URL}{reverse('sso_callback')}",
    }
    return form_page(request, "settings/group_roles.html", context)


def _add(request: HttpRequest, gives: GroupRole) -> None:
    """While approval is on, another admin has to agree: a group can make approvers and admins."""
    by = actor(request)
    with transaction.atomic():
        if not guard.on_guard(gives.service_id):
            gives.save()
            audit("group_role.added", gives, by=by, **_said(gives))
            messages.success(request, _("Saved. It counts from the next sign-in of each person."))
            return
        columns = {"group": gives.group, "service_id": gives.service_id, "role": gives.role}
        adding = guard.Operation(
            "portal.GroupRole", None, {name: (None, one) for name, one in columns.items()}
        )
        with translation.override("en"):  # it is stored
            says = [{"name": GROUP(name=gives.group), "before": NOTHING, "after": gives.gives}]
        title = ROLES_OF(group=gives.group)[:200]
        waits = guard.ask(gives.service_id, title, adding, by=by, says=says)
    messages.warning(request, waits.sentence)


@require_http_methods(FORM)
def group_role_remove(request: HttpRequest, pk: int) -> HttpResponse:
    _superusers_only(request)
    if request.method != "POST":
        one = get_object_or_404(
            GroupRole.objects.select_related("service").defer(*Service.secrets("service")), pk=pk
        )
        asked = Confirmation(
            _("Remove what the group %(group)s gives?") % {"group": one.group},
            _("It gives: %(gives)s. People whom only this group gives it lose it at their next sign-in.")
            % {"gives": retold(one.gives)},
            button=_("Remove it"),
        )
        return ask(request, asked, back=reverse("group_roles"), crumb=_("Single sign-on"))
    with transaction.atomic():
        gone = get_object_or_404(GroupRole.objects.defer(*Service.secrets("service")), pk=pk)
        audit("group_role.deleted", gone, by=actor(request), **_said(gone))
        gone.delete()
    messages.success(request, _("Removed. People lose what only it gave them at their next sign-in."))
    return redirect("group_roles")


@require_http_methods(FORM)
def sso_unbind(request: HttpRequest, pk: int) -> HttpResponse:
    """As where an organisation has made somebody's account anew. The next sign-in is matched by the address again."""
    _superusers_only(request)
    if request.method != "POST":
        one = get_object_or_404(SocialAccount.objects.select_related("user"), pk=pk)
        asked = Confirmation(
            _("Unbind %(person)s?") % {"person": one.user.email},
            _(
                "Their account here is no longer tied to that of your organisation. At the next sign-in they are matched by their "
                "e-mail address."
            ),
            button=_("Unbind"),
        )
        return ask(request, asked, back=reverse("group_roles"), crumb=_("Single sign-on"))
    with transaction.atomic():
        gone = get_object_or_404(SocialAccount.objects.select_related("user"), pk=pk)
        audit("user.sso_unbound", gone.user, by=actor(request))
        gone.delete()
    says = _("%(person)s is matched by their e-mail address at the next sign-in.")
    messages.success(request, says % {"person": gone.user.email})
    return redirect("group_roles")


def _said(one: GroupRole) -> dict[str, Any]:
    return {
        "group": one.group,
        "gives": one.role or "superuser",
        "of": one.service.slug if one.service else "",
    }
