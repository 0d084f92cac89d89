"""The event log: what happened to messages, sends and people's refusals, written with the change itself (`sms.callbacks.events`)."""

from django.db import models
from django.db.models import CASCADE, Index, UniqueConstraint

from sms.models.personal import PersonalData


class Event(models.Model):
    """One event. `event_id` names it for ever: recorded again it is the same one.

    Numbers and what a partner calls things are not in it but looked up when it is read or posted (`sms.callbacks.event_bodies`), so that
    each reader sees what it may, and what was erased is gone here too. `data` is what only the event knows. `owner` is the identity of
    the API key whose send it is about, null for people's. `subject_id` is the reject, incoming SMS or opt-out that it tells of.

    Readers go by `transaction_id` and then by id: of a transaction that is over no row is added any more (docs/decisions/0033). It is the
    number of the epoch (`EventEpoch`) and of the transaction in it, in one.
    """

    event_id = models.CharField(max_length=40)
    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="+", db_index=False)
    owner = models.UUIDField(null=True)
    type = models.CharField(max_length=24)
    send_id = models.BigIntegerField(default=0)
    message_id = models.BigIntegerField(default=0)
    subject_id = models.BigIntegerField(default=0)
    at = models.DateTimeField(help_text="When it happened.")
    created_at = models.DateTimeField(help_text="When it was written.")
    test = models.BooleanField(default=False, help_text="Of a test key's send: no person was written to.")
    data = models.JSONField(default=dict)
    transaction_id = models.BigIntegerField(
        default=0, help_text="Which transaction wrote it, behind those of earlier epochs."
    )

    personal = PersonalData(
        service="service", texts="data", neutral="event_id owner type transaction_id subject_id"
    )

    class Meta:
        ordering = ("transaction_id", "id")
        indexes = (
            Index(
                fields=("service", "transaction_id", "id"), name="event_of_a_service"
            ),  # used by: GET /events
            Index(fields=("service", "owner", "transaction_id", "id"), name="event_of_an_owner"),
            Index(fields=("send_id", "transaction_id", "id"), name="event_of_a_send"),
        )
        constraints = (UniqueConstraint(fields=("event_id",), name="event_is_told_once"),)

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"


class EventEpoch(models.Model):
    """The time in which one PostgreSQL numbered the transactions of this database. The last is the present one's."""

    number = models.PositiveSmallIntegerField(primary_key=True)
    cluster = models.CharField(max_length=40, help_text="Its system identifier and timeline.")

    personal = PersonalData(neutral="cluster")

    def __str__(self) -> str:
        return f"{self.number} {self.cluster}"
