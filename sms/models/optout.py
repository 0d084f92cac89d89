"""Opt-outs: people who refused further messages of a service, held by us."""

from collections.abc import Collection, Iterable, Sequence

from django.db import models
from django.db.models import CASCADE, SET_NULL, Index, Q, UniqueConstraint
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from sms.models.columns import empty_text, made_by_key
from sms.models.personal import PersonalData
from sms.models.service import Service
from sms.models.sql.opt_outs import stored_in_force
from sms.values import msisdn
from sms.values.msisdn.hidden import hidden


class OptOut(models.Model):
    """One number that must not be written to. `send` is the one that it answered, if that is known.

    Of a person who was erased, `msisdn` is the digest of the number (`sms.values.msisdn.hidden`) and the refusal stays in
    force. A lookup asks for both forms where the service has such rows (`Service.opt_outs_hidden`): see `spellings`.
    """

    class Source(models.TextChoices):
        INBOUND = "inbound", _("By SMS")
        PAGE = "page", _("On this page")
        API = "api", _("By the API")
        CSV = "csv", _("From a file")
        PROVIDER = "provider", _("From the provider")

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="opt_outs")
    msisdn = models.CharField("MSISDN", max_length=16)
    source = models.CharField(
        max_length=20, help_text=_("How we learned of it: inbound, page, api, csv, provider.")
    )
    evidence = models.CharField(max_length=300, blank=True)
    send = models.ForeignKey("sms.Send", null=True, blank=True, on_delete=SET_NULL, related_name="opt_outs")
    inbound = models.ForeignKey(
        "sms.InboundMessage", null=True, blank=True, on_delete=SET_NULL, related_name="opt_outs"
    )
    by = models.CharField(max_length=254, blank=True, help_text=_("Who recorded it."))
    owner = made_by_key()
    at = models.DateTimeField(db_default=Now())
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=254, blank=True)
    lifted_because = models.CharField(max_length=150, blank=True)
    country = empty_text(2, "Of the number, once only its digest is here; facts need it.")

    personal = PersonalData(
        service="service",
        numbers="msisdn",
        texts="evidence lifted_because",
        team="by lifted_by",
        neutral="source owner",
    )

    class Meta:
        ordering = ("-id",)
        indexes = (
            Index(fields=("service", "id"), name="opt_out_of_a_service"),  # used by: opt-outs page
            # lifted ones too; used by: search for a number, refusals reported twice by the provider
            Index(fields=("service", "msisdn"), name="opt_out_of_a_number"),
        )
        constraints = (
            UniqueConstraint(
                name="opt_out_in_force_once_per_number",
                fields=("service", "msisdn"),
                condition=Q(lifted_at__isnull=True),
            ),  # used by: arm
        )

    def __str__(self) -> str:
        return f"opt-out {self.pk}"

    @classmethod
    def in_force(cls, service_id: int, numbers: Sequence[str], *, hides: bool | None = None) -> set[str]:
        """Those of the numbers that refused. `hides`: as `spellings` has it."""
        if not numbers:
            return set()
        stored = spellings(service_id, numbers, hides=hides)
        return refused_among(numbers, (stored[one] for one in stored_in_force(service_id, list(stored))))


def refused_among(numbers: Collection[str], found: Iterable[str]) -> set[str]:
    """Those of the numbers whose handset refused, however each of them spells it."""
    return {one for number in found for one in msisdn.spellings(number)} & set(numbers)


def spellings(service_id: int, numbers: Iterable[str], *, hides: bool | None = None) -> dict[str, str]:
    """Forms in which these numbers may be stored as opt-outs, each with its number. `hides`: `Service.opt_outs_hidden`, if it is known.

    A service in which no opted-out person was erased costs no more than that query.
    """
    plain = {number: number for number in numbers}
    for number in list(plain):
        for other in msisdn.spellings(number)[1:]:
            plain.setdefault(other, number)
    if hides is None:
        hides = Service.objects.filter(pk=service_id, opt_outs_hidden=True).exists()
    if not hides:
        return plain
    key = Service.objects.only("correlation_key").get(pk=service_id).number_key
    return plain | {hidden(number, key=key): number for number in plain}
