"""Labels of a send: how they are written, and how a send gets them. Called by `sms.compose`, its callers and the list of sends.

A label is one short word in lower case, so that “Invoice”, “invoice” and “ invoice ” are the same one in every list and report.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from sms.models import Actor, Label, Send, Service
from sms.models.audit import audit
from sms.models.label import LABEL_LENGTH
from sms.values.problems import Problem, ProblemCode, ProblemError
from sms.words import number

MOST = 10  # of a send
MOST_OF_A_SERVICE = 300  # a program that gives every send its own label ends here
NO_LABEL = "none"  # stands in the address of a report for no label
_WORD = re.compile(r"[^\W_][\w.-]*")
_LIKE_A_NUMBER = re.compile(r"\d(?:[-._]?\d){6}")


class BadLabel(ProblemError):
    """A label cannot be written so; the sentence names it and says how it can be."""


def split(written: str) -> list[str]:
    """`Invoice, spring sale` → its labels as they were typed, between commas, semicolons or lines."""
    return [word for part in re.split(r"[,;\n]", written) if (word := part.strip())]


def normalized(written: str) -> str:
    """One label as it is kept: `Spring sale ` → `spring-sale`. Raises BadLabel."""
    word = "-".join(unicodedata.normalize("NFKC", written).split()).lower()
    shown = written.strip()[: LABEL_LENGTH + 10]
    if not word:
        raise BadLabel(ProblemCode.REQUIRED, _("A label is empty. Write a word, or leave it out."))
    if len(word) > LABEL_LENGTH:
        raise BadLabel(
            ProblemCode.TOO_LONG,
            _("The label “%(label)s” is longer than %(most)s characters. Shorten it.")
            % {"label": shown, "most": number(LABEL_LENGTH)},
        )
    if not _WORD.fullmatch(word):
        raise BadLabel(
            ProblemCode.INVALID,
            _(
                "The label “%(label)s” has other characters than letters, digits, hyphens, points and underscores, "
                "or does not begin with a letter or digit. Leave them out."
            )
            % {"label": shown},
        )
    if _LIKE_A_NUMBER.search(word):
        raise BadLabel(
            ProblemCode.INVALID,
            _(
                "The label “%(label)s” looks like a phone number. Labels outlive the numbers of people: use a word."
            )
            % {"label": shown},
        )
    if word == NO_LABEL:
        says = _("“none” stands for no label in reports. Choose another word.")
        raise BadLabel(ProblemCode.INVALID, says)
    return word


def normalized_set(written: Iterable[str]) -> tuple[str, ...]:
    """All of them as they are kept: in order, each once. Raises BadLabel at the first that cannot be."""
    return tuple(sorted({normalized(word) for word in written}))


def problems(service: Service, written: Sequence[str]) -> Iterator[Problem]:
    if not written:
        return
    try:
        words = normalized_set(written)
    except BadLabel as problem:
        yield problem.problem.at("labels")
        return
    if len(words) > MOST:
        yield Problem(
            ProblemCode.TOO_MANY,
            "labels",
            _("There are %(n)s labels; a send takes %(most)s. Leave some out.")
            % {"n": number(len(words)), "most": number(MOST)},
        )
        return
    new = set(words) - set(service.labels.filter(word__in=words).values_list("word", flat=True))
    if new and service.labels.count() + len(new) > MOST_OF_A_SERVICE:
        yield Problem(
            ProblemCode.TOO_MANY,
            "labels",
            _("%(service)s has %(n)s labels already; “%(label)s” would be one more. Use one of those.")
            % {"service": service.name, "n": number(MOST_OF_A_SERVICE), "label": min(new)},
        )


def attach(send: Send, written: Sequence[str]) -> None:
    """Label a send, in the transaction that makes it; its words were checked by `problems`."""
    if not written:
        return
    words = normalized_set(written)
    # in order of the words, so that two sends that bring the same new ones never wait for each other in a circle
    Label.objects.bulk_create(
        [Label(service_id=send.service_id, word=word) for word in words], ignore_conflicts=True
    )
    send.labels.add(*Label.objects.filter(service_id=send.service_id, word__in=words))


def add(send: Send, written: Sequence[str], *, by: Actor) -> tuple[str, ...]:
    """Further labels for a send that is made; returns those that it did not have. Raises BadLabel.

    Lists follow at once. Reports that count it already do so under the labels that it had: what they add up is not undone.
    """
    with transaction.atomic():
        locked = Send.objects.select_for_update(no_key=True).get(pk=send.pk)
        has = set(locked.labels.values_list("word", flat=True))
        new = tuple(word for word in normalized_set(written) if word not in has)
        if len(has) + len(new) > MOST:
            says = _("It would have %(n)s labels; a send takes %(most)s.") % {
                "n": number(len(has) + len(new)),
                "most": number(MOST),
            }
            raise BadLabel(ProblemCode.TOO_MANY, says)
        if new:
            attach(locked, new)
            audit("send.labelled", locked, by=by, labels=list(new))
    return new


def labels_of(service: Service) -> list[str]:
    return list(service.labels.values_list("word", flat=True))


def having(sends: "QuerySet[Send]", written: str) -> "QuerySet[Send]":
    """Those of the sends that have a label; none where it cannot be a label."""
    try:
        return sends.filter(labels__word=normalized(written))
    except BadLabel:
        return sends.none()
