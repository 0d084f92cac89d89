"""The acts that can be done with several rows at once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy, pgettext_lazy

from sms.models import Actor, Draft, SavedAudience, Send, Service, Upload
from sms.sends.bulk import of_audiences, of_drafts, of_sends
from sms.sends.bulk.row import RowOutlook

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class DoesOne(Protocol):
    """Do it to one, by the function that its own page calls: whether it was done, and what was, as a sentence."""

    def __call__(self, thing: Any, given: str, /, *, by: Actor) -> tuple[bool, str]: ...


@dataclass(frozen=True, slots=True)
class BulkKind:
    """`act` is what a role has to hold (`portal.access`), `page` the name of the list's address. `does` is None where the answer is a
    file. `noun` is one of the things; `takes_labels` where labels have to be given."""

    key: str
    act: str
    page: str
    noun: str
    title: "StrOrPromise"
    rows: Callable[[Service], "QuerySet[Any]"]
    would: Callable[[Sequence[Any], str], Iterator[RowOutlook]]
    does: DoesOne | None
    danger: bool = False
    takes_labels: bool = False


def _sends(service: Service) -> "QuerySet[Send]":
    return Send.objects.filter(service=service).select_related("service").prefetch_related("labels")


def _drafts(service: Service) -> "QuerySet[Draft]":
    return (
        Draft.objects.filter(Draft.open_ones(), service=service)
        .select_related("upload")
        .defer("pasted", Upload.LIGHT)
    )


def _audiences(service: Service) -> "QuerySet[SavedAudience]":
    return SavedAudience.objects.filter(service=service)


KINDS: dict[str, BulkKind] = {
    kind.key: kind
    for kind in (
        BulkKind(
            *("sends.cancel", "cancel", "sends", "send", pgettext_lazy("verb", "Cancel")),
            rows=_sends,
            would=of_sends.would_cancel,
            does=of_sends.cancel_one,
            danger=True,
        ),
        BulkKind(
            *("sends.label", "compose", "sends", "send", pgettext_lazy("verb", "Label")),
            rows=_sends,
            would=of_sends.would_label,
            does=of_sends.label_one,
            takes_labels=True,
        ),
        BulkKind(
            *("sends.export", "report", "sends", "send", gettext_lazy("Export the reports of")),
            rows=_sends,
            would=of_sends.would_export,
            does=None,
        ),
        BulkKind(
            *("drafts.discard", "compose", "drafts", "draft", pgettext_lazy("verb", "Discard")),
            rows=_drafts,
            would=of_drafts.would_discard,
            does=of_drafts.discard_one,
            danger=True,
        ),
        BulkKind(
            *("drafts.label", "compose", "drafts", "draft", pgettext_lazy("verb", "Label")),
            rows=_drafts,
            would=of_drafts.would_label,
            does=of_drafts.label_one,
            takes_labels=True,
        ),
        BulkKind(
            *("audiences.archive", "compose", "audiences", "audience", pgettext_lazy("verb", "Archive")),
            rows=_audiences,
            would=of_audiences.would_archive,
            does=of_audiences.archive_one,
        ),
    )
}
