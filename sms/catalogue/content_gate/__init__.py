"""The one gate for what a text says, whichever way it comes in: `findings` looks at it with its sender and its columns.

    foreign    placeholders of other products (`foreign.toml`), which people would read as they stand
    opt_out    whether it says how to opt out, and whether its sender can receive that (`opt_out.toml`)
    wording    links, look-alike letters, spaces at the end

Called by `sms.compose.resolved_order` for every order, and by the pages and the admin for templates.
"""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from sms.catalogue.content_gate import foreign, opt_out, wording
from sms.catalogue.content_gate.finding import CERTAIN, DOUBTFUL, ContentFinding
from sms.models import Sender
from sms.values import text as texts
from sms.webex.limits import PLACEHOLDER


def findings(
    written: str,
    *,
    sender: Sender | None = None,
    names: Iterable[str] = (),
    gives_values: bool = False,
    passed_on: bool = False,
) -> list[ContentFinding]:
    """In the order of how much they matter. `names` are of columns and placeholders; `gives_values`: the provider gets values, too, and
    may look for where they go; `passed_on`: all of a partner's, with which a tenant may fill ${name}."""
    if not written:  # the provider's template makes it
        return []
    literals = texts.literals(written)
    found: list[ContentFinding] = []
    if unfinished := [one for one in literals if "$(" in one]:
        # the provider may take it for a placeholder, and none is posted without a value
        certain = gives_values or any(map(PLACEHOLDER.search, unfinished))
        says = _(
            "“$(” begins a placeholder that has no name or does not end. Write placeholders like $(name)."
        )
        found.append(ContentFinding("placeholder", says, CERTAIN if certain else DOUBTFUL))
    found += foreign.findings(
        literals, names=[*texts.placeholders(written), *names], doubted="${" if passed_on else ""
    )
    found += opt_out.findings(written, sender, advises=not passed_on)
    return found + list(wording.findings(written))


def of_template(written: str, *, sender: Sender | None = None) -> list[ContentFinding]:
    """Of a template's text, where nobody has any other use for the signs of another product: they refuse it."""
    names = texts.placeholders(written)
    foreign_ones = foreign.findings(texts.literals(written), names=names, in_template=True)
    return [*foreign_ones, *opt_out.findings(written, sender), *wording.findings(written)]


def refusals(found: Iterable[ContentFinding]) -> list[str]:
    return [one.text for one in found if one.level == CERTAIN]
