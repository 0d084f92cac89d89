"""What a request with an `Idempotency-Key` was answered, kept so that the same request finds the same answer.

An answer that holds a secret is kept sealed, with FIELD_KEYS: `body` has it without its secrets, so that an erasure still finds a number.
"""

import re
from datetime import timedelta

from django.db import connection, models
from django.db.models import CASCADE, Index, UniqueConstraint

from sms.models.fields import SecretField
from sms.models.personal import PersonalData
from sms.models.sql.clock import corrected_now
from sms.models.sql.session import database_now

KEPT = timedelta(days=30)
# a secret that an answer shows: a member called so, or a text that begins as our secrets and tokens do
_SECRET = re.compile(
    rb'("(?:[^"\\]*_)?(?:secret|token)":)"(?:[^"\\]|\\.)*"|"(?:whsec|td_live|td_test)_(?:[^"\\]|\\.)*"'
)


class IdempotentAnswer(models.Model):
    """One answer, written in the transaction of what it answers. `owner` is the API key's `identity`, which keys share while they rotate.

    While the request is under way its row is not committed, so a second request waits for the row's unique index, not for a clock.
    """

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="+", db_index=False)
    owner = models.CharField(max_length=36)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=bytes)
    whole = SecretField(default="", db_default="", help_text="All of the body, where it holds a secret.")
    made_at = models.DateTimeField()

    personal = PersonalData(
        service="service", texts="key headers", raw="body", team="whole", neutral="owner fingerprint"
    )

    class Meta:
        indexes = (Index(fields=("made_at",), name="idempotent_answer_by_age"),)  # used by: jobs
        constraints = (UniqueConstraint(fields=("service", "owner", "key"), name="idempotent_answer_is_one"),)

    def __str__(self) -> str:
        return f"answer {self.status} of {self.made_at:%Y-%m-%d %H:%M}"

    @property
    def answered(self) -> bytes:
        return str(self.whole).encode() if self.whole else bytes(self.body)

    @classmethod
    def keep(cls, pk: int, *, status: int, headers: dict[str, str], body: bytes) -> None:
        """The answer to the request that claimed the row, in its transaction."""
        open_part = _SECRET.sub(rb'\1""', body)
        whole = body.decode() if open_part != body else ""
        cls.objects.filter(pk=pk).update(status=status, headers=headers, body=open_part, whole=whole)

    @classmethod
    def claim(cls, service_id: int, *, owner: str, key: str, fingerprint: str) -> int:
        """The id of a new row; 0 where the key was used already. Waits for the request that is using it right now."""
        columns = "service_id, owner, key, fingerprint, status, headers, body, made_at"
        now = connection.ops.adapt_datetimefield_value(corrected_now())
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {cls._meta.db_table} ({columns}) VALUES (%s, %s, %s, %s, 0, '{{}}', %s, %s)"  # noqa: S608 - words of ours; values are parameters
                " ON CONFLICT DO NOTHING RETURNING id",
                [service_id, owner, key, fingerprint, b"", now],
            )
            row = cursor.fetchone()
        return int(row[0]) if row else 0

    @classmethod
    def forget(cls) -> int:
        """Drop answers older than KEPT; returns how many."""
        old = cls.objects.filter(made_at__lt=database_now() - KEPT).order_by("made_at").values("pk")
        return cls.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:10_000])).delete()[0]
