"""What Webex Connect, or somebody else, posted to us and we did not accept; and how often, by address."""

from django.db import models
from django.db.models import CASCADE, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from sms.models.personal import PersonalData


class PostKind(models.TextChoices):
    """What is posted; it stands in the path."""

    RECEIPT = "receipt", _("receipts")
    INBOUND = "inbound", _("incoming SMS")


class CameTo(models.TextChoices):
    """Which address it was posted to."""

    NOTIFY_URL = "notify_url", _("the address in messages")
    WEBHOOK = "webhook", _("the address for webhooks")
    RETIRED = "retired", _("an address that has ended")
    UNKNOWN = "unknown", _("an address that no service has")


class RefusedPost(models.Model):
    """A post as it came, kept for some days so that a person can take it in after a mistake.

    Refused for its signature at an address in use, or for its address. `service` is empty where nothing tells whose it is.
    """

    KEPT = 30  # days

    service = models.ForeignKey(
        "sms.Service", null=True, on_delete=CASCADE, related_name="refused_posts", db_index=False
    )
    kind = models.CharField(max_length=8, choices=PostKind)
    came_to = models.CharField(max_length=10, choices=CameTo)
    dedupe = models.BinaryField(
        max_length=16, unique=True, help_text="Digest of service, kind and body: a repetition is one."
    )
    raw = models.BinaryField()
    size = models.PositiveIntegerField(help_text="Bytes.")
    received_at = models.DateTimeField()

    personal = PersonalData(service="service", raw="raw", neutral="dedupe")

    class Meta:
        ordering = ("id",)
        indexes = (
            # used by: receipts page, taking in
            Index(fields=("service", "kind", "id"), name="refused_of_a_service"),
            Index(fields=("received_at",), name="refused_by_time"),  # used by: the job that deletes them
        )

    def __str__(self) -> str:
        return f"refused post {self.pk}"


class PostTally(models.Model):
    """What became of one kind of post at one kind of address of a service; without a service, at addresses that nobody has.

    `mark` says which secret (`signature_mark`) the two columns behind it are about: with another secret they count for nothing.
    `not_kept` of the `refused` came when there was no more room.
    """

    service = models.ForeignKey(
        "sms.Service", null=True, on_delete=CASCADE, related_name="post_tallies", db_index=False
    )
    kind = models.CharField(max_length=8, choices=PostKind)
    came_to = models.CharField(max_length=10, choices=CameTo)
    mark = models.CharField(max_length=32, blank=True)
    proved_at = models.DateTimeField(null=True, help_text="When the first good signature came.")
    would_refuse = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)
    not_kept = models.PositiveBigIntegerField(default=0)
    last_at = models.DateTimeField(null=True, help_text="When the last of these came.")

    personal = PersonalData(service="service", neutral="mark would_refuse refused not_kept")

    class Meta:
        ordering = ("id",)
        constraints = (
            UniqueConstraint(
                fields=("service", "kind", "came_to"), name="post_tally_is_one_per_service_kind_and_address"
            ),
            UniqueConstraint(
                fields=("kind", "came_to"),
                condition=Q(service__isnull=True),
                name="post_tally_without_service_is_one_per_kind_and_address",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} at {self.came_to} of {self.service_id}"


class RetiredAddress(models.Model):
    """An address that a service had: what still comes to it is known by the service, and kept."""

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="retired_addresses")
    digest = models.BinaryField(max_length=32, unique=True, help_text="SHA-256 of the token.")
    retired_at = models.DateTimeField(auto_now_add=True)

    personal = PersonalData(service="service", neutral="digest")

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"retired address {self.pk}"
