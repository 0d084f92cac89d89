"""What retention removes, in words for people: pages and the command show the same."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

KINDS: "dict[str, StrOrPromise]" = {
    "receipts": gettext_lazy("receipts shortened to code, status and time"),
    "bodies": gettext_lazy("messages without their text"),
    "numbers": gettext_lazy("messages without their number"),
    "archive": gettext_lazy("messages moved into archive files"),
    "archives": gettext_lazy("archive files written again with less in them"),
    "comments": gettext_lazy("comments without their text"),
    "contents": gettext_lazy("texts that recurring sends said"),
    "filters": gettext_lazy("saved filters of messages"),
    "drafts": gettext_lazy("unsent drafts without their recipients"),
    "uploads": gettext_lazy("uploaded files"),
    "versions": gettext_lazy("old versions of audiences"),
    "inbound": gettext_lazy("incoming SMS"),
    "conversations": gettext_lazy("conversations without their number"),
    "callbacks": gettext_lazy("callbacks in the log"),
    "answers": gettext_lazy("stored answers of the API"),
    "unmatched": gettext_lazy("receipts in quarantine or without a message"),
    "refused": gettext_lazy("refused receipts and incoming SMS"),
    "refused_requests": gettext_lazy("refused requests of API keys"),
}
