"""Pages of contact-policy groups: the list, one with what its rules refused, a number's consent, and the connection to Contact Policy."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from django.views.generic import UpdateView

from portal.forms.catalogue import GroupForm, PolicyConnectionForm
from portal.forms.msisdn import NumberForm
from portal.views.catalogue_base import CatalogueDetail, CatalogueKind, CatalogueList, CatalogueView
from portal.views.form_base import refused_beside, say_kept
from sms.catalogue import policy_groups
from sms.catalogue.form_changes import changes, hold_back
from sms.models import ContactPolicyGroup, PolicyConnection
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.values.msisdn import mask
from sms.words import listed, number

GROUP = CatalogueKind(
    key="policy_group",
    name=gettext_lazy("policy group"),
    title=gettext_lazy("Contact-policy groups"),
    new_title=gettext_lazy("New policy group"),
    none_yet=gettext_lazy("No policy group yet."),
    says=gettext_lazy("With one, Webex Connect checks consent or frequency before it sends."),
    form=GroupForm,
)


def _checks(group: ContactPolicyGroup) -> str:
    parts = [(_("opt-in"), group.check_consent), (_("frequency cap"), group.apply_frequency_cap)]
    return listed(name for name, on in parts if on)


class GroupList(CatalogueList):
    headings = (
        gettext_lazy("Provider group id"),
        pgettext_lazy("noun", "Checks"),
        gettext_lazy("Refused in 90 days"),
    )
    extra_context = {"connect": True}  # noqa: RUF012 - Django's own spelling

    def cells(self, things: list[ContactPolicyGroup]) -> list[list[str]]:
        refused = policy_groups.results([one.pk for one in things], now=corrected_now())
        sums = {pk: sum(count for unused, count in codes) for pk, codes in refused.items()}
        return [[one.group_id, _checks(one), number(sums[one.pk])] for one in things]


class GroupDetail(CatalogueDetail):
    kind = GROUP

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        group: ContactPolicyGroup = self.object
        refused = policy_groups.results([group.pk], now=corrected_now())[group.pk]
        shown = {
            "facts": [
                (_("Provider group id"), group.group_id),
                (pgettext("noun", "Checks"), _checks(group)),
                (_("Description"), group.description or "–"),
            ],
            "results": [(code, policy_groups.REASONS[code], count) for code, count in refused],
            "is_group": True,
            "form": NumberForm(service=self.service),
        }
        return shown | super().get_context_data(**kwargs)


class GroupLookUp(GroupDetail):
    """A number's consent. It comes by POST and goes out by POST, so that it stands in no address and no log."""

    act = "configure"
    http_method_names = ["post"]  # noqa: RUF012 - Django's own spelling

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.object = self.get_object()
        form, answer = NumberForm(request.POST, service=self.service), ""
        if form.is_valid():
            asked = form.cleaned_data["number"]
            with refused_beside(form, policy_groups.PolicyError, field="number"):
                policy = policy_groups.policy_of(self.service)
                if policy is None:
                    form.add_error("number", _("Connect Contact Policy first: its profile key is missing."))
                else:
                    said = policy_groups.look_up(policy, self.object, asked, by=self.by)
                    answer = f"{mask(asked)} {said}"
        context = self.get_context_data(form=form, answer=answer)
        return self.render_to_response(context, status=422 if form.errors else 200)


class PolicyConnectionEdit(CatalogueView, UpdateView):
    """Where Contact Policy is asked, and with `?list=1` the groups that it lists."""

    act = "configure"
    kind = GROUP
    form_class = PolicyConnectionForm
    template_name = "catalogue/policy_connection.html"

    def get_object(self, queryset: Any = None) -> PolicyConnection:
        stored = PolicyConnection.objects.filter(service=self.service).first()
        return stored or PolicyConnection(service=self.service)

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            held = hold_back(form, by=self.by)
            form.save()
            if held is None or form.changed_data:
                act, noun = "policy_group.connection_changed", "policy group"
                audit(act, self.service, by=self.by, noun=noun, **changes(form))
        say_kept(self.request, form, held, says=_("Saved."))
        return redirect("policy_connection", self.service.slug)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found, problem = None, ""
        if self.request.method != "POST" and self.request.GET.get("list") == "1":
            try:
                policy = policy_groups.policy_of(self.service)
                found = policy_groups.groups(policy) if policy else None
                problem = "" if policy else _("The profile key is missing.")
            except policy_groups.PolicyError as error:
                problem = str(error)
        known = set(self.service.policy_groups.values_list("group_id", flat=True))
        return super().get_context_data(listed=found, problem=problem, known=known, **kwargs)
