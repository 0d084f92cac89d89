"""The preview beside the text: what was typed, as it would arrive. For the script at every key, and for the page. Stores nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_POST

from portal.access import service_page
from portal.forms import zones
from portal.forms.compose import fillings_typed
from portal.forms.zones import WallClockField
from portal.limits import upload_limits
from sms import content, drafts, preview, sample, templates
from sms.models import AudienceVersion, Draft, OptOut, Sender, Service

COUNTED = 20_000  # rows: counting more would keep the keys of others waiting; the next page counts them


@service_page("compose")
@require_POST
def compose_preview(request: HttpRequest, service: Service) -> HttpResponse:
    """Of a page without a draft yet."""
    return _answer(service, request.POST, Draft(service=service))


@service_page("compose")
@require_POST
def draft_preview(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Of a page whose file and long lists are in its draft."""
    files = ("upload", "version__upload", "version__mends__upload")
    rows = service.drafts.select_related(*files).defer("text", *(f"{file}__content" for file in files))
    return _answer(service, request.POST, get_object_or_404(rows, pk=pk))


def _answer(service: Service, typed: Mapping[str, Any], draft: Draft) -> HttpResponse:
    made = look(service, typed, draft)
    parts = {name: render_to_string(f"compose/{template}", made) for name, template in PARTS.items()}
    return JsonResponse({"parts": parts, "said": made["said"], "replaced": made["preview"].replaced})


def as_typed(form: Any, asked: Mapping[str, str]) -> dict[str, Any]:
    """What the page's form holds, as the script would send it; the step is in the address."""
    typed = {name: form[name].value() for name in ASKED if name in form.fields}
    typed |= {name: value.pk for name, value in typed.items() if hasattr(value, "pk")}
    return typed | {"at": asked.get("at", "0")}


ASKED = (
    *("text", "template", "language", "sender", "link_domain", "audience", "pasted", "country", "column"),
    *("allow_duplicates", "when", "send_at", "time_zone"),
)
PARTS = {
    "preview": "_preview.html",
    "senders": "_senders.html",
    "when": "_when.html",
    "rows": "_rows.html",
    "odd": "_odd.html",
    "holes": "_holes.html",
}


def look(service: Service, typed: Mapping[str, Any], draft: Draft) -> dict[str, Any]:
    """Context of the parts. `typed` has the names of the page's fields; what the page does not say is the draft's."""
    seen = Seen(service, typed, draft)
    written = seen.written
    offered = list(service.senders.filter(active=True))
    made = preview.look(written, seen.sample, offered=offered)
    totals = made.totals
    counting = bool(totals and not totals.exact and not seen.sample.note)
    if counting and "count" in typed and seen.sample.recipients <= COUNTED:
        totals, counting = preview.count(written, seen.sample, seen.rows()), False
    return {
        "preview": made,
        "totals": totals,
        "counting": counting and seen.sample.recipients <= COUNTED,
        "sample": seen.sample,
        "service": service,
        "sender": written.sender,
        "written": written,
        "refused": made.refused,
        "doubted": made.doubted,
        "when": _when(typed),
        "opted_out": _opted_out(service, seen.sample),
        "draft": draft,
        "holes": preview.holes(written, seen.sample),
        "headings": [one for one in seen.sample.headings if one],
        "said": _said(made),
    }


@dataclass
class Seen:
    """What was typed, looked up in the catalogue, each part once."""

    service: Service
    typed: Mapping[str, Any]
    draft: Draft

    def _chosen(self, rows: Any, name: str) -> Any:
        key = str(self.typed.get(name) or "")
        return rows.filter(pk=int(key)).first() if key.isdecimal() and len(key) < 19 else None

    @cached_property
    def written(self) -> preview.Written:
        """The text or the template's, and what goes with it."""
        service, typed = self.service, self.typed
        template = self._chosen(service.templates.filter(active=True), "template")
        version = (
            templates.published(template, str(typed.get("language") or "")) if template is not None else None
        )
        sender: Sender | None = self._chosen(service.senders, "sender")
        at = str(typed.get("at") or "0")
        return preview.Written(
            service=service,
            text=str(typed.get("text") or "").replace("\r\n", "\n"),
            version=version if version is not None and version.text else None,
            by_provider=template is not None and (version is None or not version.text),
            sender=sender,
            domain=self._chosen(service.link_domains, "link_domain"),
            fillings=content.fillings_of(self._fillings()),
            at=int(at) if at.isdecimal() and len(at) < 9 else 0,
        )

    def _fillings(self) -> dict[str, dict[str, str]]:
        if hasattr(self.typed, "getlist") and "fillings_shown" in self.typed:
            return fillings_typed(self.typed, self.draft.fillings)
        return dict(self.draft.fillings)

    @cached_property
    def version(self) -> AudienceVersion | None:
        """The rows in the database that are in use, if any: of a saved audience, or of a large file or paste."""
        kept = self._chosen(self.service.audiences.select_related("current"), "audience")
        if kept is not None or self.typed.get("audience"):
            return kept.current if kept is not None else None
        return drafts.in_use(self.draft) if self.draft.version_id else None

    @cached_property
    def sample(self) -> sample.Sample:
        """Real rows, of what is in use: a saved audience, a file, or the numbers in the box."""
        if (version := self.version) is not None:
            if version.ready_at is None:
                return sample.of_first(version, drafts.first_rows(version, sample.SPREAD)[0])
            return sample.of_version(version)
        country = str(self.typed.get("country") or self.draft.country or self.service.default_country)
        if self.draft.upload is not None:
            return sample.of_upload(
                self.draft.upload,
                country=country,
                column=str(self.typed.get("column", self.draft.column) or ""),
                limits=upload_limits(),
            )
        return sample.of_pasted(
            # a long list is not sent at every key; it is the draft's then
            str(self.typed.get("pasted", self.draft.pasted) or ""),
            country=country,
            limits=upload_limits(),
            allow_duplicates=bool(self.typed.get("allow_duplicates")),
        )

    def rows(self) -> Any:
        """Every row, for an exact count."""
        version = self.version
        return sample.every_row(version) if version is not None else self.sample.rows


def _when(typed: Mapping[str, Any]) -> str:
    """The time that is meant, in words; nothing where it goes at once, or where the field itself says what is wrong."""
    if typed.get("when") != "later" or not typed.get("send_at"):
        return ""
    zone = str(typed.get("time_zone") or timezone.get_current_timezone_name())
    try:
        at = typed["send_at"]
        at = at if isinstance(at, datetime) else WallClockField().clean(at)
        return zones.in_words(zones.moment(at, zone), zone) if zones.is_zone(zone) else ""
    except forms.ValidationError as problem:
        return str(problem.messages[0])


def _opted_out(service: Service, of: sample.Sample) -> int | None:
    """People of a small audience who refused; None where there are too many to look at every key."""
    if not of.whole or len(of.rows) > sample.WHOLE:
        return None
    return len(OptOut.in_force(service.pk, [one.msisdn for one in of.rows]))


def _said(made: preview.Preview) -> str:
    """One sentence for whoever listens instead of looking."""
    phone = made.phone
    if phone is None:
        return ""
    count = f"{phone.most} segment{'' if phone.most == 1 else 's'}"
    odd = f", {len(made.odd)} character{'' if len(made.odd) == 1 else 's'} need Unicode" if made.odd else ""
    return f"{count}{odd}."
