"""Pages of short-link domains: the guided set-up, what the last check saw, and since when."""

from typing import Any

from django.contrib import messages
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from portal.forms.catalogue import LinkDomainForm
from portal.presenters.send_state import DOMAIN_MARKS
from portal.views.button_base import Said, button, info
from portal.views.catalogue_base import CatalogueDetail, CatalogueKind, CatalogueList
from sms.catalogue import domains
from sms.models import Actor, DomainState, ShortLinkDomain
from sms.models.sql.clock import corrected_now
from sms.words import retold

DOMAIN = CatalogueKind(
    key="link_domain",
    name=gettext_lazy("short-link domain"),
    title=gettext_lazy("Short-link domains"),
    new_title=gettext_lazy("New short-link domain"),
    none_yet=gettext_lazy("No short-link domain yet."),
    says=gettext_lazy(
        "With one, links are shortened under your own name and clicks are counted. Each is looked at every hour."
    ),
    form=LinkDomainForm,
    acts="domain",
)


class DomainList(CatalogueList):
    headings = (pgettext_lazy("noun", "State"), gettext_lazy("What was seen"), gettext_lazy("Checked"))

    def cells(self, things: list[ShortLinkDomain]) -> list[list[str]]:
        now = corrected_now()
        return [
            [
                one.get_state_display(),
                retold(one.says),
                _("%(time)s ago") % {"time": timesince(one.checked_at, now, depth=1)}
                if one.checked_at
                else _("Never"),
            ]
            for one in things
        ]


class DomainDetail(CatalogueDetail):
    template_name = "catalogue/domain.html"

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("region")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        domain: ShortLinkDomain = self.object
        kind, target = domain.target
        dot = "." if kind == "CNAME" else ""
        return super().get_context_data(**kwargs) | {
            "mark": DOMAIN_MARKS[DomainState(domain.state)],
            "kind": kind,
            "target": target,
            "record": f"{domain.host}. 3600 IN {kind} {target}{dot}" if target else "",
            "done": _steps_done(domain),
            "changes": domain.changes.all()[:30],
        }


def _steps_done(domain: ShortLinkDomain) -> int:
    if domain.state in (DomainState.HEALTHY, DomainState.DEGRADED):
        return 4
    right = any(one["part"] == "DNS" and one["level"] == "good" for one in domain.findings)
    return 2 if right else 1 if domain.state == DomainState.BROKEN else 0


@button("configure", ShortLinkDomain, back="link_domain")
def domain_check(domain: ShortLinkDomain, by: Actor) -> Said:
    """Takes five seconds at most."""
    try:
        report = domains.check(domain, by=by)
    except domains.NotCheckable as why:
        return info(str(why))
    level = messages.SUCCESS if report.state == DomainState.HEALTHY else messages.WARNING
    return Said(" ".join((_("Checked."), retold(report.says))), level)
