"""Figures of reports as they are written: a cell with what it covers, and its words where a figure is not known."""

from collections.abc import Sequence
from dataclasses import dataclass

from sms.reports import FactSums, ReportRow
from sms.webex import codes

UNNAMED = {
    "sender": "No sender",
    "template": "No template",
    "domain": "No tracked links",
    "policy_group": "No policy group",
    "label": "No label",
    "person": "No person",
    "partner": "No partner",
    "test": "No test",
    "country": "Unknown country",
    "carrier": "Carrier not reported",
}
NOT_MEASURABLE = "not measurable"


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure as it is written, and what it covers, said below it. `change` compares it with the earlier period."""

    text: str
    note: str = ""
    change: str = ""
    dim: bool = False
    label: str = ""


@dataclass(frozen=True, slots=True)
class ReportLine:
    label: str
    note: str
    cells: Sequence[Cell]
    address: str = ""
    send_id: int = 0


def percent(value: float | None) -> str:
    """`0.983` → `98.3 %`; never all or none by rounding, and an en dash where there is nothing to take a share of."""
    if value is None:
        return "–"
    shown = f"{100 * value:.1f}".removesuffix(".0")
    if shown == "100" and value < 1:
        return ">99.9 %"
    return "<0.1 %" if shown == "0" and value > 0 else f"{shown} %"


def label_of(line: ReportRow, by: str) -> str:
    if by == "code":
        return f"{line.value} · {codes.lookup(line.value).meaning}" if line.value else "No code reported"
    if by == "country" and line.label:
        return line.label
    return line.label or UNNAMED.get(by, "–")


def change(one: FactSums, past: FactSums | None, name: str) -> str:
    if past is None:
        return ""
    now, then = getattr(one, name), getattr(past, name)
    if not then:
        return "none before" if now else "none before either"
    return f"{100 * (now - then) / then:+.0f} % on {then:,}"


def segments(one: FactSums, label: str = "") -> Cell:
    """By our count, else by the provider's."""
    if not one.messages:
        return Cell("–", label=label, dim=True)
    if one.segments_of:
        known = "by our count" if one.segments_of >= one.messages else f"of {one.segments_of:,} messages"
        return Cell(f"{one.segments:,}", known, label=label)
    if one.billed_of:
        return Cell(f"{one.billed:,}", f"reported for {one.billed_of:,} messages", label=label)
    return Cell(NOT_MEASURABLE, "the provider makes the text", dim=True, label=label)


def billed(one: FactSums) -> Cell:
    if not one.posted:
        return Cell("–", dim=True)
    if not one.billed_measurable:
        return Cell(NOT_MEASURABLE, "not reported in Canada and India", dim=True)
    if not one.billed_of:
        return Cell("not reported yet", dim=True)
    return Cell(f"{one.billed:,}", f"reported for {percent(one.billed_of / one.posted)}")


def clicks(one: FactSums, label: str = "") -> Cell:
    if not one.clicks_measurable:
        why = "smartlinks report no clicks" if one.smart else "no tracked links"
        return Cell(NOT_MEASURABLE, why, dim=True, label=label)
    parts = f"{one.clicks['machine']:,} machine, {one.clicks['unsure']:,} unsure"
    return Cell(f"{one.clicks['human']:,}", parts, label=label)


def cost(one: FactSums, label: str = "") -> Cell:
    """At today's prices. Messages without a price are said; what is not known is never shown as 0."""
    if not one.posted:
        return Cell("–", label=label, dim=True)
    if not one.priced:
        return Cell(NOT_MEASURABLE, "no price listed", dim=True, label=label)
    text = " + ".join(f"{amount:,.2f} {currency}" for currency, amount in one.money)
    left = f", {one.priceless:,} without a price" if one.priceless else ""
    return Cell(text, f"of {one.priced:,} messages{left}", label=label)
