"""Opt-outs: people who refused further messages of a service, held by us."""

import json
from collections.abc import Iterable, Sequence

from django.db import connection, models
from django.db.models import Q
from django.db.models.functions import Now

from sms.models.personal import PersonalData
from sms.models.service import Service
from sms.values.msisdn.hidden import hidden

_LOCKS = 0x5354  # our room among PostgreSQL's advisory locks


class OptOut(models.Model):
    """One number that must not be written to. `send` is the one that it answered, if that is known.

    Of a person who was erased, `msisdn` is the digest of the number (`sms.values.msisdn.hidden`) and the refusal stays in
    force. Whoever looks
    numbers up asks for both forms where the service has such rows (`Service.opt_outs_hidden`): see `spellings`.
    """

    class Source(models.TextChoices):
        """How we learned of it."""

        INBOUND = "inbound", "By SMS"
        PAGE = "page", "On this page"
        API = "api", "By the API"
        CSV = "csv", "From a file"
        PROVIDER = "provider", "From the provider"

    service = models.ForeignKey("sms.Service", on_delete=models.CASCADE, related_name="opt_outs")
    msisdn = models.CharField("MSISDN", max_length=16)
    source = models.CharField(
        max_length=20, help_text="How we learned of it: inbound, page, api, csv, provider."
    )
    evidence = models.CharField(max_length=300, blank=True)
    send = models.ForeignKey(
        "sms.Send", null=True, blank=True, on_delete=models.SET_NULL, related_name="opt_outs"
    )
    inbound = models.ForeignKey(
        "sms.InboundMessage", null=True, blank=True, on_delete=models.SET_NULL, related_name="opt_outs"
    )
    by = models.CharField(max_length=254, blank=True, help_text="Who recorded it.")
    at = models.DateTimeField(db_default=Now())
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=254, blank=True)
    lifted_because = models.CharField(max_length=150, blank=True)
    country = models.CharField(
        max_length=2,
        blank=True,
        default="",
        db_default="",
        help_text="Of the number, once only its digest is here; facts need it.",
    )

    personal = PersonalData(
        service="service",
        numbers=("msisdn",),
        texts=("evidence", "lifted_because"),
        team=("by", "lifted_by"),
        neutral=("source",),
    )

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("service", "-id"), name="opt_out_of_a_service"),  # used by: opt-outs page
            # lifted ones too; used by: search for a number, refusals told twice by the provider
            models.Index(fields=("service", "msisdn"), name="opt_out_of_a_number"),
        )
        constraints = (
            models.UniqueConstraint(
                name="opt_out_in_force_once_per_number",
                fields=("service", "msisdn"),
                condition=Q(lifted_at__isnull=True),
            ),  # used by: arm
        )

    def __str__(self) -> str:
        return f"opt-out {self.pk}"

    @classmethod
    def in_force(cls, service_id: int, numbers: Sequence[str]) -> set[str]:
        """Those of the numbers that refused. Numbers go as one text: a parameter each took longer than the looking."""
        if not numbers:
            return set()
        stored = spellings(service_id, numbers)
        return {stored[one] for one in cls._in_force(service_id, list(stored))}

    @classmethod
    def _in_force(cls, service_id: int, numbers: Sequence[str]) -> set[str]:
        wanted = "%s"
        if len(numbers) > 1:
            listed = (
                "json_array_elements_text(%s)"
                if connection.vendor == "postgresql"
                else "value FROM json_each(%s)"
            )
            wanted = f"SELECT {listed}"
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT msisdn FROM sms_optout WHERE service_id = %s AND lifted_at IS NULL AND msisdn IN ({wanted})",  # noqa: S608
                [service_id, json.dumps(numbers) if len(numbers) > 1 else numbers[0]],
            )
            return {msisdn for (msisdn,) in cursor.fetchall()}


def spellings(service_id: int, numbers: Iterable[str], *, hides: bool | None = None) -> dict[str, str]:
    """Forms in which these numbers may be stored as opt-outs, each with its number. `hides`: `Service.opt_outs_hidden`, if it is known.

    A service in which nobody who had opted out was erased costs nothing more than that question.
    """
    plain = {number: number for number in numbers}
    if hides is None:
        hides = Service.objects.filter(pk=service_id, opt_outs_hidden=True).exists()
    if not hides:
        return plain
    key = Service.objects.only("correlation_key").get(pk=service_id).number_key
    return plain | {hidden(number, key=key): number for number in plain}


def lock_opt_outs(service_ids: Iterable[int], *, share: bool = False) -> None:
    """Until the transaction ends, nobody adds an opt-out to these services while others look, nor looks while one is added.

    Whoever adds takes it alone; whoever arms shares it, and looks afterwards. So an opt-out commits either before the look, which
    then sees it, or after everything that was armed without it. On SQLite one writer at a time is that already.
    """
    ids = sorted(set(service_ids))
    if not ids or connection.vendor != "postgresql":
        return
    alone = "SELECT pg_advisory_xact_lock(%s, id) FROM unnest(%s::int[]) AS id"
    shared = "SELECT pg_advisory_xact_lock_shared(%s, id) FROM unnest(%s::int[]) AS id"
    with connection.cursor() as cursor:
        cursor.execute(shared if share else alone, [_LOCKS, ids])
