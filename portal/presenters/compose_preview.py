"""What the compose page shows beside the text: what was typed, as it would arrive, and what is known of the rows. Stores nothing.

`views.compose.preview` calls it at every key, the page itself when it is drawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django import forms
from django.utils import timezone

from portal.forms import time_zones
from portal.forms.compose import fillings_typed
from portal.forms.numbers import key_of, row_of
from portal.forms.time_zones import WallClockField
from portal.limits import upload_limits
from sms.audiences import sample, storage
from sms.audiences.files import Recipient
from sms.catalogue import templates
from sms.compose import drafts, placeholders, preview
from sms.models import AudienceVersion, Draft, OptOut, Preparation, Sender, Service

COUNTED = 20_000  # rows that are counted here where the draft's check cannot; more would keep the keys of others waiting


def as_typed(form: Any, asked: Mapping[str, str]) -> dict[str, Any]:
    """What the page's form holds, as the script would send it; the step is in the address."""
    typed = {name: form[name].value() for name in ASKED if name in form.fields}
    typed |= {name: value.pk for name, value in typed.items() if hasattr(value, "pk")}
    return typed | {"at": asked.get("at", "0")}


ASKED = (
    *("text", "template", "language", "sender", "link_domain", "audience", "pasted", "country", "column"),
    *("allow_duplicates", "when", "send_at", "time_zone"),
)


def preview_context(service: Service, typed: Mapping[str, Any], draft: Draft) -> dict[str, Any]:
    """Context of the parts. `typed` has the names of the page's fields; what the page does not say is the draft's."""
    seen = PreviewRequest(service, typed, draft)
    written = seen.written
    offered = list(service.senders.filter(active=True))
    made = preview.preview_of(written, seen.sample, offered=offered)
    return {
        "preview": made,
        "all": _all_rows(seen, made.totals),
        "sample": seen.sample,
        "service": service,
        "sender": written.sender,
        "written": written,
        "refused": made.refused,
        "doubted": made.doubted,
        "when": _when(typed),
        "draft": draft,
        "placeholders": preview.placeholder_previews(written, seen.sample),
        "headings": [one for one in seen.sample.headings if one],
        "said": _said(made),
    }


@dataclass(frozen=True, slots=True)
class AllRows:
    """What is known of every row. `rejected`: rows left out, by reason. `more`: the script asks once more, for exact figures.

    `work` says how far the count is, or that it was stopped; `missing` why the draft cannot be counted as it stands.
    """

    totals: preview.Totals | None
    recipients: int
    rejected: Mapping[str, int]
    opted_out: int | None = None
    more: bool = False
    work: Preparation | None = None
    missing: str = ""


def _all_rows(seen: "PreviewRequest", totals: preview.Totals | None) -> AllRows:
    """Few rows are counted here; many by the draft's own check, once what was typed is stored."""
    of, asked = seen.sample, "count" in seen.typed
    if of.whole and not of.note:
        return AllRows(totals, of.recipients, of.rejected, seen.opted_out(of.rows))
    if of.note or not (seen.written.words or seen.written.by_provider):
        return AllRows(totals, of.recipients, of.rejected)
    checked = drafts.EditingTotals()
    if seen.is_stored:
        checked = drafts.totals_while_editing(seen.draft, limits=upload_limits(), ask=asked)
    if (figures := checked.figures) is not None:
        left_out = {code: one.count for code, one in figures.removed.items()}
        return AllRows(totals and preview.totals_of_all(figures), figures.recipients, left_out)
    here = of.recipients <= COUNTED
    if asked and here and checked.work is None:
        rows = list(seen.rows())
        counted = totals and preview.count(seen.written, of, rows)
        return AllRows(counted, of.recipients, of.rejected, seen.opted_out(rows))
    waits = checked.work.is_waiting if checked.work is not None else not asked
    missing = " ".join(one.text for one in checked.problems)
    return AllRows(totals, of.recipients, of.rejected, more=waits, work=checked.work, missing=missing)


@dataclass
class PreviewRequest:
    service: Service
    typed: Mapping[str, Any]
    draft: Draft

    def _chosen(self, rows: Any, name: str) -> Any:
        return rows.filter(pk=key_of(self.typed, name)).first()

    @cached_property
    def written(self) -> preview.DraftText:
        service, typed = self.service, self.typed
        template = self._chosen(service.templates.filter(active=True), "template")
        version = (
            templates.published(template, str(typed.get("language") or "")) if template is not None else None
        )
        sender: Sender | None = self._chosen(service.senders, "sender")
        return preview.DraftText(
            service=service,
            text=str(typed.get("text") or "").replace("\r\n", "\n"),
            version=version if version is not None and version.text else None,
            by_provider=template is not None and (version is None or not version.text),
            sender=sender,
            domain=self._chosen(service.link_domains, "link_domain"),
            placeholder_sources=placeholders.sources_from_json(self._fillings()),
            at=row_of(typed, "at") or 0,
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
        return drafts.version_in_use(self.draft) if self.draft.version_id else None

    @cached_property
    def sample(self) -> sample.AudienceSample:
        """Real rows, of what is in use: a saved audience, a file, or the numbers in the box."""
        if (version := self.version) is not None:
            if version.ready_at is None:
                return sample.of_first(version, drafts.first_stored_rows(version, sample.SPREAD)[0])
            return sample.of_version(version)
        country = str(self.typed.get("country") or self.draft.country or self.service.default_country)
        if self.draft.upload is not None:
            return sample.of_upload(
                self.draft.upload,
                country=country,
                column=str(self.typed.get("column", self.draft.column) or ""),
                limits=upload_limits(),
                allow_duplicates=bool(self.typed.get("allow_duplicates")),
            )
        return sample.of_pasted(
            # a long list is not sent at every key; it is the draft's then
            str(self.typed.get("pasted", self.draft.pasted) or ""),
            country=country,
            limits=upload_limits(),
            allow_duplicates=bool(self.typed.get("allow_duplicates")),
        )

    @cached_property
    def is_stored(self) -> bool:
        """Whether the draft holds what was typed, as far as figures rest on it; spaces at the ends are not kept."""
        draft, typed = self.draft, self.typed
        if not draft.pk or draft.send_id:
            return False
        held: dict[str, Any] = {
            **{
                name: getattr(draft, f"{name}_id")
                for name in ("sender", "template", "link_domain", "audience")
            },
            **{name: getattr(draft, name) for name in ("text", "language", "pasted", "column")},
            "country": draft.country or self.service.default_country,
            "allow_duplicates": draft.allow_duplicates,
        }
        # a tick that is not there is no tick; of other fields that are not there the page says nothing
        said = {name: typed.get(name) for name in held if name in typed or name == "allow_duplicates"}
        said["allow_duplicates"] = bool(said["allow_duplicates"])
        same = all(_plain(said[name]) == _plain(held[name]) for name in said)
        return same and self._fillings() == draft.fillings

    def opted_out(self, rows: Sequence[Recipient]) -> int:
        return len(OptOut.in_force(self.service.pk, [one.msisdn for one in rows]))

    def rows(self) -> Any:
        version = self.version
        return storage.every_recipient(version) if version is not None else self.sample.rows


def _when(typed: Mapping[str, Any]) -> str:
    """The time that is meant, in words; nothing where it goes at once, or where the field itself says what is wrong."""
    if typed.get("when") != "later" or not typed.get("send_at"):
        return ""
    zone = str(typed.get("time_zone") or timezone.get_current_timezone_name())
    try:
        at = typed["send_at"]
        at = at if isinstance(at, datetime) else WallClockField().clean(at)
        return time_zones.in_words(time_zones.moment(at, zone), zone) if time_zones.is_zone(zone) else ""
    except forms.ValidationError as problem:
        return str(problem.messages[0])


def _plain(value: Any) -> str:
    return str(value or "").replace("\r\n", "\n").strip()


def _said(made: preview.Preview) -> str:
    """One sentence for a screen reader."""
    phone = made.phone
    if phone is None:
        return ""
    count = f"{phone.most} segment{'' if phone.most == 1 else 's'}"
    odd = f", {len(made.odd)} character{'' if len(made.odd) == 1 else 's'} need Unicode" if made.odd else ""
    return f"{count}{odd}."
