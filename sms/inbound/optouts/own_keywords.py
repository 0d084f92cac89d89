"""Keywords of the service: which of them an incoming SMS says. They come after STOP and its like, which nothing overrides."""

from collections.abc import Iterator

from sms.inbound.optouts.folding import words_of
from sms.inbound.optouts.quoting import own_words
from sms.models import InboundMessage, KeywordRule

MOST_WORDS = 5  # of a keyword
OPEN_TO_RULES = ("", InboundMessage.Meaning.HELP)  # what else was read in a text goes its own way


def folded(keyword: str) -> str:
    """How a keyword is compared: “Ｃonfirm!” and “CONFIRM” are one."""
    return " ".join(words_of(keyword))


def rule_in(text: str, *, service_id: int, ours: str = "") -> KeywordRule | None:
    """The longest keyword that the text says. `ours` is our last message to the person, whose words are not theirs when they quote it."""
    words = words_of(own_words(text, ours=ours).text)
    if not words:
        return None
    whole = " ".join(words)
    known = KeywordRule.objects.filter(service=service_id, active=True, folded__in=list(_beginnings(words)))
    fit = [one for one in known if one.folded == whole or one.first_words]
    return max(fit, key=lambda one: len(one.folded), default=None)


def _beginnings(words: list[str]) -> Iterator[str]:
    for count in range(1, min(len(words), MOST_WORDS) + 1):
        yield " ".join(words[:count])
