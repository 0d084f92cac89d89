"""Archives: what their files hold, so that a message is found without opening any of them. Written by `sms.compliance.archive` only."""

from django.db import models
from django.db.models import CASCADE, PROTECT, CheckConstraint, Index, Q, UniqueConstraint

from sms.models.fields import SecretField
from sms.models.personal import PersonalData


class Archive(models.Model):
    """One file of messages that left the ledger. The file is encrypted with `key`; without this row it cannot be read.

    `name` is the file that counts, empty while the first one is written. `spare` is a file that does not count: one that is being
    written, or one that was replaced; it is named here before it exists, so that no crash leaves an unknown file.
    """

    service = models.ForeignKey("sms.Service", on_delete=PROTECT, related_name="archives")
    name = models.CharField(max_length=120, blank=True, help_text="In the place of archives.")
    spare = models.CharField(max_length=120, blank=True)
    key = SecretField(blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField(default=0)
    messages = models.PositiveIntegerField(default=0)
    receipts = models.PositiveIntegerField(default=0)
    posted_until = models.DateTimeField(
        null=True, blank=True, help_text="The latest end of posting among its sends."
    )
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField(
        null=True, blank=True, help_text="When retention or an erasure rewrote it."
    )
    bodies_gone_at = models.DateTimeField(null=True, blank=True)
    numbers_gone_at = models.DateTimeField(null=True, blank=True)
    receipts_gone_at = models.DateTimeField(null=True, blank=True)

    personal = PersonalData(neutral="name spare key sha256")

    class Meta:
        ordering = ("-id",)
        constraints = (
            CheckConstraint(
                name="archive_that_has_a_file_has_its_digest_and_key",
                condition=Q(name="") | (~Q(sha256="") & ~Q(key="")),
            ),
        )

    def __str__(self) -> str:
        return self.name or f"archive {self.pk}"


class ArchiveBlock(models.Model):
    """A run of up to a thousand messages within a file, compressed and encrypted by itself.

    Until `moved` its messages are in the ledger still, and the block does not count. `content` is the digest of its rows before
    compression: a message that changed after the block was written is not moved by it.
    """

    archive = models.ForeignKey(Archive, on_delete=CASCADE, related_name="blocks", db_index=False)
    service = models.ForeignKey("sms.Service", on_delete=PROTECT, related_name="+", db_index=False)
    number = models.PositiveIntegerField()
    offset = models.BigIntegerField()
    length = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.CharField(max_length=64)
    messages = models.PositiveIntegerField()
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    first_send = models.BigIntegerField()
    last_send = models.BigIntegerField()
    moved = models.BooleanField(default=False)

    personal = PersonalData(neutral="sha256 content")

    class Meta:
        ordering = ("archive", "number")
        indexes = (
            # used by: one message
            Index(fields=("service", "last_id"), name="archive_block_by_message"),
            Index(fields=("service", "last_send"), name="archive_block_by_send"),  # used by: send page
            # used by: going on after a crash
            Index(fields=("archive",), name="archive_block_not_moved", condition=Q(moved=False)),
        )
        constraints = (UniqueConstraint(fields=("archive", "number"), name="archive_block_number_once"),)

    def __str__(self) -> str:
        return f"block {self.number} of archive {self.archive_id}"


class ArchiveIndex(models.Model):
    """Which blocks of an archive hold a number or a provider's id, by keyed digest.

    One row for each first byte of the digest that occurs (`bucket`); `entries` are runs of seven bytes: five more of the digest,
    and the block's number. 10 million messages are some 140 MB here, and looking reads one row of each archive.
    """

    archive = models.ForeignKey(Archive, on_delete=CASCADE, related_name="index")
    service = models.ForeignKey("sms.Service", on_delete=PROTECT, related_name="+", db_index=False)
    bucket = models.PositiveSmallIntegerField()
    entries = models.BinaryField()

    personal = PersonalData(neutral="entries")

    class Meta:
        # used by: search
        indexes = (Index(fields=("service", "bucket"), name="archive_index_by_bucket"),)
        constraints = (UniqueConstraint(fields=("archive", "bucket"), name="archive_index_bucket_once"),)

    def __str__(self) -> str:
        return f"bucket {self.bucket} of archive {self.archive_id}"
