"""What two people changed in one draft, side by side. Called by the compose page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.forms.compose import DraftForm, typed_in
from sms.compose.drafts import collaboration, presence
from sms.values.diff import DiffRun, changes
from sms.words import listed as listed_words

SHOWN = 2_000  # characters of a value
LABELS = {
    "validity": gettext_lazy("How long it is valid"),
    "shorten_links": gettext_lazy("Links"),
    "track_clicks": gettext_lazy("Clicks"),
    "upload": gettext_lazy("File"),
    "fillings": gettext_lazy("What fills the placeholders"),
    "send_at": gettext_lazy("When"),
}


@dataclass(frozen=True, slots=True)
class Clash:
    """A field that two people changed, each value in pieces of which those that only it has are marked.

    `seen` stands for the colleague's value, so that a third one is not lost either.
    """

    name: str
    label: str
    who: str
    theirs: Sequence[DiffRun]
    mine: Sequence[DiffRun]
    seen: str


def of(kept: collaboration.Saved, form: DraftForm) -> list[Clash]:
    """`form` holds what was typed."""
    stored = kept.stored
    seen = collaboration.fingerprints(stored)
    who = presence.name_of(kept.before) if kept.before else _("A colleague")
    found = []
    for name in kept.clashes:
        runs = changes(_shown(getattr(stored, name)), _shown(getattr(form.instance, name)))
        theirs, mine = ([one for one in runs if one.kind != other] for other in ("new", "gone"))
        found.append(Clash(name, label(name, form), who, theirs, mine, seen[name]))
    return found


def values(names: Iterable[str], form: DraftForm) -> dict[str, Any]:
    """What the page's fields show of these fields of the draft; lists for several ticks."""
    shown: dict[str, Any] = {}
    for name in names:
        for field_name in typed_in(name):
            if field_name in form.fields:
                field = form[field_name]
                value = field.field.widget.format_value(field.value())
                shown[field_name] = (
                    bool(field.value()) if field.widget_type == "checkbox" else _plain(value, field)
                )
    return shown


def _plain(value: Any, field: Any) -> Any:
    """Selects and radios are given their one value, several ticks a list."""
    if isinstance(value, list) and field.widget_type != "checkboxselectmultiple":
        return value[0] if value else ""
    return "" if value is None else value


def label(name: str, form: DraftForm) -> str:
    if name in LABELS:
        return str(LABELS[name])
    return str(form[name].label) if name in form.fields else name.replace("_", " ").capitalize()


def listed(names: Iterable[str]) -> str:
    """`text and sender`, without a form at hand."""
    return listed_words(str(LABELS.get(name, name.replace("_", " "))).lower() for name in names)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if value is None or value == "" or value == []:
        return _("(empty)")
    if isinstance(value, dict):
        value = [f"{name}: {', '.join(one.values())}" for name, one in value.items()]
    written = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return written if len(written) <= SHOWN else f"{written[:SHOWN]}…"
