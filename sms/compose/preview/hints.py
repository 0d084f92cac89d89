"""Advice about a text and its sender while it is being written."""

from collections.abc import Iterable, Sequence

from sms.audiences.sample import AudienceSample
from sms.catalogue import senders
from sms.compose.links import domain_cautions
from sms.compose.preview.rows import FilledRow
from sms.compose.preview.shapes import DraftText
from sms.models import Sender
from sms.values import text_hints
from sms.values.link_lengths import LINK, SMARTLINK

ADVISED = 450  # characters that the provider advises to stay below


def hints_of(written: DraftText, rows: Sequence[FilledRow]) -> list[str]:
    """Sentences, each with its way out; those that refuse come first."""
    words = written.words
    if written.by_provider:
        return ["The provider's template makes the text, so nothing can be said of it here."]
    if not words.strip():
        return []
    found = [*text_hints.unknown(words), *(one.text for one in text_hints.lint(words))]
    if SMARTLINK.search(words):
        found.append("Smartlinks give no click receipts, so their clicks cannot be measured.")
    links = LINK.search(words)
    if written.domain is not None and links:
        found.append(
            f"Some operators filter short links without notice, also those on {written.domain}."
            if not written.domain.is_shared
            else f"{written.domain} is shared with other senders, and some operators filter it. A domain of your own is filtered less."
        )
        found += domain_cautions(written.domain)
    elif written.domain is not None and not SMARTLINK.search(words):
        found.append(f"There is no https:// link in the text, so {written.domain} is not used.")
    longest = max((len(one.text) for one in rows), default=len(words))
    if longest > ADVISED:
        found.append(
            f"The longest text has {longest:,} characters; Webex Connect advises to stay below {ADVISED}."
        )
    if longest > written.service.text_limit:
        found.append(
            f"{longest:,} characters are too many: this service allows {written.service.text_limit:,}. Such rows are left out."
        )
    return found


def senders_of(
    offered: Iterable[Sender], sample: AudienceSample
) -> tuple[list[tuple[Sender, str]], list[tuple[Sender, str]]]:
    """Senders that a country of the audience refuses, and those that it may."""
    refused: list[tuple[Sender, str]] = []
    doubted: list[tuple[Sender, str]] = []
    for sender in offered:
        for country, number in sorted(sample.countries.items(), key=lambda one: -one[1]):
            judged = senders.judge(sender, country)
            where = f"{number:,} to {country}: {judged.text}"
            if judged.level == senders.SenderFit.REFUSED:
                refused.append((sender, where))
                break
            if judged.level == senders.SenderFit.WARNING:
                doubted.append((sender, where))
                break
    return refused, doubted
