"""The catalogue on one page with what is paused, and the pages of senders, smartlinks and prices."""

import hashlib
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.access import WRITE, actor, service_page
from portal.forms.catalogue import PricesForm, SenderForm, SmartlinkForm
from portal.forms.price_table import price_table
from portal.presenters.downloads import csv_download
from portal.views.catalogue_base import CatalogueDetail, CatalogueKind, CatalogueList
from portal.views.form_base import form_page
from sms.catalogue import prices, senders
from sms.models import Hold, Sender, Service, Smartlink
from sms.models.sql.clock import corrected_now
from sms.words import number

SENDER = CatalogueKind(
    key="sender",
    name=gettext_lazy("sender"),
    title=gettext_lazy("Senders"),
    new_title=gettext_lazy("New sender"),
    none_yet=gettext_lazy("No sender yet."),
    says=gettext_lazy("The numbers and names that messages come from."),
    form=SenderForm,
)
SMARTLINK = CatalogueKind(
    key="smartlink",
    name=gettext_lazy("smartlink"),
    title=gettext_lazy("Smartlinks"),
    new_title=gettext_lazy("New smartlink"),
    none_yet=gettext_lazy("No smartlink yet."),
    says=gettext_lazy(
        "Links that are made in Webex Connect. They give no click receipts: for clicks use a short-link domain."
    ),
    form=SmartlinkForm,
)


@service_page("see")
def catalogue(request: HttpRequest, service: Service) -> HttpResponse:
    held = Hold.objects.active().filter(service=service)
    context = {
        "held_senders": {one.sender_id: one for one in held if one.sender_id},
        "held_domains": {one.link_domain_id: one for one in held if one.link_domain_id},
        "senders": service.senders.all(),
        "templates": service.templates.all(),
        "policy_groups": service.policy_groups.all(),
        "link_domains": service.link_domains.select_related("region"),
    }
    return render(request, "catalogue/list.html", context)


class SenderList(CatalogueList):
    headings = (
        gettext_lazy("Kind"),
        gettext_lazy("Countries"),
        gettext_lazy("Messages in 30 days"),
        gettext_lazy("Failed"),
    )

    def cells(self, things: list[Sender]) -> list[list[str]]:
        used = senders.usage([one.pk for one in things], now=corrected_now())
        return [
            [
                _kind(one),
                one.countries or _("Any"),
                number(used[one.pk].messages),
                number(used[one.pk].failed),
            ]
            for one in things
        ]


def _kind(one: Sender) -> str:
    kind = one.get_kind_display()
    return _("%(kind)s, default") % {"kind": kind} if one.is_default else kind


class SenderDetail(CatalogueDetail):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sender: Sender = self.object
        used = senders.usage([sender.pk], now=corrected_now())[sender.pk]
        countries = dict.fromkeys((self.service.default_country, "US", "CA"))
        return super().get_context_data(**kwargs) | {
            "facts": [
                (_("Kind"), sender.get_kind_display()),
                (_("Default"), _("Yes") if sender.is_default else _("No")),
                (_("Countries"), sender.countries or _("Any, as far as networks take it")),
                (_("Registration"), sender.get_registration_display() or _("None noted")),
                (_("Note"), sender.note or "–"),
            ],
            "used": used,
            "reasons": used.failures[: senders.SHOWN_REASONS],
            "judged": [(country, senders.judge(sender, country)) for country in countries],
            "toll_free": senders.is_toll_free(sender.address),
        }


class SmartlinkList(CatalogueList):
    headings = (gettext_lazy("In the text"), gettext_lazy("Valid for"))

    def cells(self, things: list[Smartlink]) -> list[list[str]]:
        return [[one.token, _minutes(one)] for one in things]


def _minutes(one: Smartlink) -> str:
    return ngettext("%(n)s minute", "%(n)s minutes", one.validity) % {"n": number(one.validity)}


class SmartlinkDetail(CatalogueDetail):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        facts = [
            (_("In the text"), self.object.token),
            (_("Valid for"), _minutes(self.object)),
            (_("Clicks"), _("Webex Connect sends no click receipts for smartlinks.")),
        ]
        return super().get_context_data(facts=facts, **kwargs)


@service_page("see")
def price_list(request: HttpRequest, service: Service) -> HttpResponse:
    return _page(request, service, PricesForm(initial={"written": prices.as_csv(service)}))


@service_page("configure", WRITE)
def price_replace(request: HttpRequest, service: Service) -> HttpResponse:
    """Put a whole list in the place of the one before, or nothing where it has a mistake."""
    form = PricesForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, service, form)
    rows = form.cleaned_data["rows"]
    prices.replace(service, rows, by=actor(request))
    messages.success(request, _saved(len(rows)))
    return redirect("prices", service=service.slug)


def _saved(rows: int) -> str:
    return ngettext("Saved: %(n)s price.", "Saved: %(n)s prices.", rows) % {"n": number(rows)}


def _page(request: HttpRequest, service: Service, form: PricesForm) -> HttpResponse:
    may_change = "configure" in request.may  # type: ignore[attr-defined]
    return form_page(
        request, "catalogue/prices.html", _prices(service, form, price_table(service) if may_change else None)
    )


def _prices(service: Service, form: PricesForm, table: Any) -> dict[str, Any]:
    return {"form": form, "table": table, "prices": service.prices.all(), "seen": _digest(service)}


def _digest(service: Service) -> str:
    return hashlib.sha256(prices.as_csv(service).encode()).hexdigest()[:16]


@service_page("configure", WRITE)
def price_change(request: HttpRequest, service: Service) -> HttpResponse:
    """The table as it was typed; nothing is changed where it has a mistake, or where the list is another one meanwhile."""
    table = price_table(service, request.POST)
    if table is None:
        return redirect("prices", service=service.slug)
    meanwhile = request.POST.get("seen") != _digest(service)
    if table.is_valid() and not meanwhile:
        prices.replace(service, table.rows, by=actor(request))
        messages.success(request, _saved(len(table.rows)))
        return redirect("prices", service=service.slug)
    form = PricesForm(initial={"written": prices.as_csv(service)})
    context = {**_prices(service, form, table), "meanwhile": meanwhile}
    return render(request, "catalogue/prices.html", context, status=422)


@service_page("see")
def price_download(_request: HttpRequest, service: Service) -> StreamingHttpResponse:
    return csv_download([prices.as_csv(service)], name=f"prices-{service.slug}{service.file_mark}.csv")
