"""What lists have in common: how an address narrows each of them, to keep it under a name and to choose at once what fits it."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import QueryDict

from portal.forms.audit import AuditFilter
from portal.forms.draft_search import DraftSearch
from portal.forms.message_filter import MessageFilterForm
from portal.forms.send_search import SendSearch
from portal.presenters import report_addresses
from sms.models import Draft, KeptList, SavedAudience, Send, Service
from sms.models.sql.clock import corrected_now
from sms.values.sealed_words import unseal

PAGES = {
    KeptList.SENDS: ("sends", "see"),
    KeptList.MESSAGES: ("messages", "see"),
    KeptList.DRAFTS: ("drafts", "compose"),
    KeptList.AUDIT: ("audit_list", "audit"),
    KeptList.REPORTS: ("reports", "see"),
}  # the name of the page, and the act that opens it


def _of_sends(asked: QueryDict, service: Service) -> "QuerySet[Send]":
    return SendSearch(asked, queryset=Send.objects.filter(service=service)).qs.order_by("-id")


def _of_drafts(asked: QueryDict, service: Service) -> "QuerySet[Draft]":
    return DraftSearch(asked, queryset=Draft.objects.filter(Draft.open_ones(), service=service)).qs


def _of_audiences(asked: QueryDict, service: Service) -> "QuerySet[SavedAudience]":
    return SavedAudience.objects.filter(service=service, archived_at__isnull=asked.get("archived") != "1")


ROWS: dict[
    str, Callable[[QueryDict, Service], "QuerySet[Send] | QuerySet[Draft] | QuerySet[SavedAudience]"]
] = {
    "sends": _of_sends,
    "drafts": _of_drafts,
    "audiences": _of_audiences,
}


def matching(page: str, query: str, service: Service, *, most: int) -> list[int]:
    """Ids of what a list shows at this address, in its order: up to `most`, and one more where there are more."""
    rows = ROWS[page](_read(query), service)
    return list(rows.values_list("pk", flat=True)[: most + 1])


def address_of(of: KeptList, query: str, service: Service) -> str:
    """The part of an address as the list itself would write it; empty where nothing of it is understood."""
    asked = _read(query)
    if of == KeptList.SENDS:
        return SendSearch(asked, queryset=Send.objects.none()).address
    if of == KeptList.DRAFTS:
        return DraftSearch(asked, queryset=Draft.objects.none()).address
    if of == KeptList.MESSAGES:
        sealed = asked.get("for", "")
        if unseal(sealed, key=service.number_key):
            return urlencode({"for": sealed})
        narrowed = MessageFilterForm(asked, service=service, may_reveal=True)
        narrowed.is_valid()
        return narrowed.address
    if of == KeptList.REPORTS:
        return _of_report(asked, service)
    form = AuditFilter(asked)
    form.is_valid()
    return urlencode(form.chosen)


def _of_report(asked: QueryDict, service: Service) -> str:
    """Without its days: a report is looked at again on another day."""
    found, _ = report_addresses.read(service, {name: str(asked[name]) for name in asked}, now=corrected_now())
    by = "" if found.by == "day" else found.by
    return report_addresses.write(found, **{"by": by, "from": "", "until": ""})


def _read(query: str) -> QueryDict:
    asked = QueryDict(query[:2000], mutable=True)
    asked.pop("before", None)
    asked.pop("page", None)
    return asked
