"""What a person keeps about lists: filters under a name, the columns they look at, and what they chose to do with several rows at once.

Pages of the portal write the first two; `sms.sends.bulk` carries out the third.
"""

from urllib.parse import unquote_plus

from django.conf import settings
from django.db import models
from django.db.models import CASCADE, Index, UniqueConstraint
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sms.models.columns import empty_text
from sms.models.personal import PersonalData
from sms.values.sealed_words import unseal


class KeptList(models.TextChoices):
    """A list whose filters or columns can be kept."""

    SENDS = "sends", _("Sends")
    MESSAGES = "messages", _("Messages")
    DRAFTS = "drafts", _("Drafts")
    AUDIT = "audit", _("Audit")
    REPORTS = "reports", _("Reports")


class SavedFilter(models.Model):
    """What a list was narrowed to, under a name: `query` is the part of the address, as the list itself writes it. One that is `shared`
    is offered to everybody who sees the list. One of messages holds sealed words (`sms.values.sealed_words`), which may be a number."""

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="saved_filters")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=CASCADE, related_name="saved_filters")
    of = models.CharField(max_length=10, choices=KeptList)
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=600)
    shared = models.BooleanField(default=False)
    made_at = models.DateTimeField(default=timezone.now, help_text="When it was last saved.")

    personal = PersonalData(
        service="service", texts="name", packed="query", unique="name", unpacked=lambda one: str(one.words)
    )

    class Meta:
        ordering = ("name", "id")
        constraints = (
            UniqueConstraint(fields=("user", "service", "of", "name"), name="saved_filter_name_once"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def words(self) -> str:
        """What is looked for, readable."""
        sealed = QueryDict(self.query).get("for", "") if self.of == KeptList.MESSAGES else ""
        return unseal(sealed, key=self.service.number_key) if sealed else unquote_plus(self.query)


class ListColumns(models.Model):
    """The columns of a list that a person chose, in all services; without a row those that are usual."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=CASCADE, related_name="list_columns")
    of = models.CharField(max_length=10, choices=KeptList)
    columns = models.JSONField(default=list, help_text="Keys of the columns, in the order of the list.")

    personal = PersonalData(neutral="columns")

    class Meta:
        ordering = ("id",)
        constraints = (UniqueConstraint(fields=("user", "of"), name="list_columns_once_per_person"),)

    def __str__(self) -> str:
        return f"columns of {self.of}"


class BulkAct(models.Model):
    """One act for several rows: chosen, shown with what it would do, then confirmed once.

    `things` are their ids in the order of the list, `more` whether further ones fitted the filter; `given` is what the act needs besides,
    as labels. `results` grow while it is carried out: a list of id, whether it was done, and a sentence.
    """

    KEPT = 30  # days

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="bulk_acts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=CASCADE, related_name="bulk_acts")
    kind = models.CharField(max_length=20)
    things = models.JSONField(default=list)
    more = models.BooleanField(default=False)
    given = empty_text(400, "Labels, with commas between them.")
    made_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True, help_text="When it was last worked on.")
    done_at = models.DateTimeField(null=True, blank=True)
    results = models.JSONField(default=list)

    personal = PersonalData(service="service", texts="given results", neutral="kind things")

    class Meta:
        ordering = ("-id",)
        indexes = (
            Index(fields=("user", "made_at"), name="bulk_act_of_a_person"),
        )  # used by: deleting old ones

    def __str__(self) -> str:
        return f"{self.kind} of {len(self.things)}"
