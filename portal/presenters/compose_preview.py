"""What the compose page shows beside the text: what was typed, as it would arrive, and what is known of the rows. Stores nothing.

`views.compose.save` calls it at every key, the page itself when it is drawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.forms import time_zones
from portal.forms.compose import fillings_typed
from portal.forms.numbers import key_of, row_of
from portal.forms.reading import ReadingForm, choices_typed
from portal.forms.time_zones import WallClockField
from portal.limits import upload_limits
from portal.presenters.file_findings import lines_of
from portal.presenters.first_rows import first_rows
from sms.audiences import sample
from sms.audiences.files import ReadingChoices, RejectedGroup, RejectedRow
from sms.audiences.files.choices import NAMES
from sms.compose import drafts, placeholders, preview
from sms.compose.options import asking_for
from sms.compose.order import Order
from sms.compose.resolved_order import ResolvedOrder, resolve
from sms.compose.survey import DoubtfulNumbers
from sms.models import AudienceVersion, Draft, Preparation, SavedAudience, Service
from sms.values.msisdn.kinds import DOUBTFUL, NumberKind
from sms.values.text import line_breaks
from sms.words import number, retold


def as_typed(form: Any, asked: Mapping[str, str]) -> dict[str, Any]:
    """What the page's form holds, as the script would send it; the step is in the address."""
    typed = {name: form[name].value() for name in ASKED if name in form.fields}
    typed |= {name: value.pk for name, value in typed.items() if hasattr(value, "pk")}
    return typed | {"at": asked.get("at", "0")}


ASKED = (
    *("text", "template", "language", "sender", "link_domain", "track"),
    *("audience", "pasted", "country", "column", *NAMES),
    *("allow_duplicates", "leave_out", "respect_quiet_hours", "when", "send_at", "time_zone"),
)


def preview_context(service: Service, typed: Mapping[str, Any], draft: Draft) -> dict[str, Any]:
    """Context of the parts. `typed` has the names of the page's fields; what the page does not say is the draft's."""
    seen = PreviewRequest(service, typed, draft)
    order = seen.order
    offered = list(service.senders.filter(active=True))
    made = preview.preview_of(order, seen.sample, at=row_of(typed, "at") or 0, offered=offered)
    known = _all_rows(seen, made)
    return {
        "preview": made,
        "all": known,
        "first_rows": first_rows(order, seen.sample, known.bad, draft=draft, version=seen.version),
        "several": drafts.several_sources(seen.pasted, draft.upload, seen.chosen_audience),
        "sample": seen.sample,
        "service": service,
        "sender": order.sender,
        "order": order,
        "refused": made.refused,
        "doubted": made.doubted,
        "when": _when(typed),
        "draft": draft,
        "placeholders": order.placeholders,
        "headings": [one for one in seen.sample.headings if one],
        "said": _said(made),
        "found_lines": lines_of(seen.sample.findings),
        # of a saved audience it was chosen when it was uploaded
        "found_choices": draft.upload_id is not None and not _of_saved(seen.version),
        "choosing": seen.choosing,
    }


def _of_saved(version: AudienceVersion | None) -> bool:
    return version is not None and version.audience_id is not None


@dataclass(frozen=True, slots=True)
class AllRows:
    """What is known of every row. `recipients` are at most so many unless `exact`. `rejected`: rows left out, by reason; `bad`: the first.

    `more`: the script asks once more, for exact figures. `work` says how far the count is, or that it was stopped; `missing` why the
    draft cannot be counted as it stands.
    """

    totals: preview.Totals | None
    recipients: int
    rejected: Sequence[RejectedGroup]
    bad: Sequence[RejectedRow]
    doubtful: Sequence[DoubtfulNumbers] = ()
    exact: bool = False
    more: bool = False
    work: Preparation | None = None
    missing: str = ""


def _all_rows(seen: "PreviewRequest", made: preview.Preview) -> AllRows:
    """Few rows are counted here; many by the draft's own check, once what was typed is stored."""
    of, figures, bad = seen.sample, made.figures, made.refused_rows
    if of.whole and not of.note:
        removed, doubtful = [*of.rejected, *figures.removed], list(figures.doubtful.values())
        return AllRows(made.totals, figures.recipients, removed, bad, doubtful, exact=True)
    if of.note or not (seen.order.text or seen.order.template):
        return AllRows(made.totals, of.recipients, of.rejected, bad)
    checked, asked = drafts.EditingTotals(), "count" in seen.typed
    if seen.is_stored:
        checked = drafts.totals_while_editing(seen.draft, limits=upload_limits(), ask=asked)
    if (known := checked.figures) is not None:
        totals = preview.totals_of_all(known) if seen.order.text else None
        doubtful = list(known.doubtful.values())
        return AllRows(totals, known.recipients, known.removed, bad, doubtful, exact=True)
    waits = checked.work.is_waiting if checked.work is not None else not asked
    missing = " ".join(one.text for one in checked.problems)
    return AllRows(
        made.totals, of.recipients, of.rejected, bad, more=waits, work=checked.work, missing=missing
    )


@dataclass
class PreviewRequest:
    service: Service
    typed: Mapping[str, Any]
    draft: Draft

    def _chosen(self, rows: Any, name: str) -> Any:
        return rows.filter(pk=key_of(self.typed, name)).first()

    @cached_property
    def order(self) -> ResolvedOrder:
        """What is typed, to the sampled rows. Spaces at the ends of the text are not kept by the draft."""
        service, typed = self.service, self.typed
        return resolve(
            Order(
                service=service,
                audience=self.sample,
                sender=self._chosen(service.senders, "sender"),
                content=str(typed.get("text") or "").strip()[: preview.LONGEST],
                template=self._chosen(service.templates.filter(active=True), "template"),
                placeholder_sources=placeholders.sources_from_json(self._fillings()),
                options=asking_for(
                    language=str(typed.get("language") or ""),
                    link_domain=self._chosen(service.link_domains, "link_domain"),
                    shorten_links=self._shortens,
                    respect_quiet_hours=bool(typed.get("respect_quiet_hours")),
                    leave_out=self._left_out,
                ),
            )
        )

    @property
    def _shortens(self) -> bool:
        return self.typed["track"] != "off" if "track" in self.typed else self.draft.shorten_links

    @property
    def _left_out(self) -> NumberKind:
        """Ticks of the page; of what the page does not say, the draft's."""
        typed = self.typed
        given = typed.getlist("leave_out") if hasattr(typed, "getlist") else typed.get("leave_out")
        if "leave_out" not in typed or given is None:
            return NumberKind(self.draft.leave_out)
        if isinstance(given, NumberKind):
            return given
        return NumberKind.of(name for name in given if name in DOUBTFUL.names)

    def _fillings(self) -> dict[str, dict[str, str]]:
        if hasattr(self.typed, "getlist") and "fillings_shown" in self.typed:
            return fillings_typed(self.typed, self.draft.fillings)
        return dict(self.draft.fillings)

    @property
    def pasted(self) -> str:
        """A long list is not sent at every key; it is the draft's then."""
        return str(self.typed.get("pasted", self.draft.pasted) or "")

    @cached_property
    def chosen_audience(self) -> SavedAudience | None:
        found: SavedAudience | None = self._chosen(
            self.service.audiences.select_related("current"), "audience"
        )
        return found

    @cached_property
    def version(self) -> AudienceVersion | None:
        """The rows in the database that are in use, if any: of a saved audience, or of a large file or paste."""
        kept = self.chosen_audience
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
        reading: dict[str, Any] = {
            "country": str(self.typed.get("country") or self.draft.country or self.service.default_country),
            "limits": upload_limits(),
            "allow_duplicates": bool(self.typed.get("allow_duplicates")),
        }
        if self.draft.upload is not None:
            column = str(self.typed.get("column", self.draft.column) or "")
            return sample.of_upload(self.draft.upload, column=column, choices=self.choices, **reading)
        return sample.of_pasted(self.pasted, **reading)

    @cached_property
    def choices(self) -> ReadingChoices:
        """How the file is to be read; what the page does not show yet is the draft's."""
        return choices_typed({name: self.typed.get(name, getattr(self.draft, name)) for name in NAMES})

    @property
    def choosing(self) -> ReadingForm:
        form = ReadingForm(initial=self.choices.as_json())
        form.offer(self.sample.findings)
        return form

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
            **{name: getattr(draft, name) for name in NAMES if name != "heading_row"},
            "heading_row": "" if draft.heading_row is None else str(draft.heading_row),
        }
        # of fields that are not there the page says nothing, but a tick that is not there is no tick
        said = {name: typed.get(name) for name in held if name in typed}
        for name in ("allow_duplicates", *(["respect_quiet_hours"] if self.service.quiet_hours else [])):
            held[name], said[name] = getattr(draft, name), bool(typed.get(name))
        same = all(_plain(said[name]) == _plain(held[name]) for name in said)
        chosen = (self._shortens, self._fillings(), self._left_out)
        return same and chosen == (draft.shorten_links, draft.fillings, draft.leave_out)


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
    return line_breaks(str(value or "")).strip()


def _said(made: preview.Preview) -> str:
    """One sentence for a screen reader."""
    phone = made.phone
    if phone is None:
        return ""
    if phone.refused:
        left_out = _("Row %(row)s is left out.") % {"row": number(phone.row)}
        return f"{left_out} {retold(phone.refused)}"
    segments = ngettext("%(n)s segment", "%(n)s segments", phone.most) % {"n": phone.most}
    if not made.odd:
        return f"{segments}."
    odd = len(made.odd)
    # Translators: segments is like “2 segments”.
    says = ngettext(
        "%(segments)s, %(n)s character need Unicode.", "%(segments)s, %(n)s characters need Unicode.", odd
    )
    return says % {"segments": segments, "n": odd}
