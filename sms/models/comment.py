"""What colleagues say to each other about a draft or a send, and whom they asked to look at it.

Written by `sms.compose.comments`. No part of what is sent, nor of what an approval is bound to.
"""

from django.conf import settings
from django.db import models
from django.db.models import CASCADE, SET_NULL, CheckConstraint, Index, Q, UniqueConstraint

from sms.models.draft import Draft
from sms.models.personal import PersonalData
from sms.models.send import Send


class Comment(models.Model):
    """A comment on a draft, on a send, or on both: the draft's comments stay with the send that it becomes, and the other way round
    where a send is taken back. One that was withdrawn has lost its text."""

    audit_noun = "comment"

    service = models.ForeignKey(
        "sms.Service", on_delete=CASCADE, related_name="comments", db_index=False
    )  # the index below begins with it
    draft = models.ForeignKey(Draft, null=True, blank=True, on_delete=CASCADE, related_name="comments")
    send = models.ForeignKey(Send, null=True, blank=True, on_delete=CASCADE, related_name="comments")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=SET_NULL, related_name="+"
    )
    label = models.CharField(max_length=254, help_text="Who wrote it, as pages show it.")
    text = models.TextField(blank=True)
    at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    begun = models.UUIDField(
        null=True,
        editable=False,
        help_text="Of the page it was written on, so that a second press finds the first one's comment.",
    )

    personal = PersonalData(service="service", texts="text", team="label", neutral="begun")

    class Meta:
        ordering = ("id",)
        indexes = (
            Index(fields=("service", "at"), name="comment_of_a_service", condition=~Q(text="")),
        )  # used by: retention
        constraints = (
            CheckConstraint(
                name="comment_is_on_a_draft_or_a_send",
                condition=Q(draft__isnull=False) | Q(send__isnull=False),
            ),
            CheckConstraint(
                name="comment_that_is_withdrawn_says_nothing",
                condition=Q(withdrawn_at__isnull=True) | Q(text=""),
            ),
            # a page's token counts for the person and the thing that it was shown for
            UniqueConstraint(fields=("begun", "by", "draft"), name="comment_on_a_draft_is_begun_once"),
            UniqueConstraint(fields=("begun", "by", "send"), name="comment_on_a_send_is_begun_once"),
        )

    def __str__(self) -> str:
        return f"comment of {self.label}"

    @property
    def thing(self) -> Draft | Send:
        """What it is about, as people find it now: the draft while that is written, then the send."""
        if self.draft is not None:
            return self.draft.send or self.draft
        assert self.send is not None, "a constraint keeps one of them"
        return self.send

    @property
    def on_send(self) -> int | None:
        """The key of the send that it is found at; None while it is found at a draft."""
        thing = self.thing
        return thing.pk if isinstance(thing, Send) else None


class AskedToLook(models.Model):
    """A colleague whom a comment asks to look. Done once they say so, or comment on the same draft or send."""

    comment = models.ForeignKey(Comment, on_delete=CASCADE, related_name="asked")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=CASCADE, related_name="asked_to_look", db_index=False
    )
    done_at = models.DateTimeField(null=True, blank=True)

    personal = PersonalData(service="comment__service")

    class Meta:
        ordering = ("id",)
        constraints = (UniqueConstraint(fields=("comment", "user"), name="comment_asks_a_person_once"),)
        indexes = (
            Index(fields=("user",), name="asked_to_look_still", condition=Q(done_at__isnull=True)),
        )  # used by: home, the page of what it is about

    def __str__(self) -> str:
        return f"{self.user_id} is asked to look"
