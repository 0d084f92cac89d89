"""What a person is still working on: drafts, and the files they uploaded."""

import hashlib

from django.conf import settings
from django.db import models

from sms.models.send import Lane, Resend


class Upload(models.Model):
    """A file of recipients, kept in the database so that every host of a desk sees it."""

    service = models.ForeignKey("sms.Service", on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=200)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    uploaded_at = models.DateTimeField(auto_now_add=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def keep(cls, content: bytes, *, service: models.Model, name: str, user: models.Model | None) -> "Upload":
        """Store a file as it came."""
        return cls.objects.create(
            service=service,
            name=name[-200:],
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            content=content,
            uploaded_by=user,
        )


class Draft(models.Model):
    """The compose page's memory: whatever was typed, complete or not, until `compose.create` makes a send of it."""

    service = models.ForeignKey("sms.Service", on_delete=models.CASCADE, related_name="drafts")
    name = models.CharField(max_length=100, blank=True)
    sender = models.ForeignKey(
        "sms.Sender", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    text = models.TextField(blank=True)
    template = models.ForeignKey(
        "sms.MessageTemplate", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    language = models.CharField(max_length=20, blank=True)
    pasted = models.TextField(blank=True)
    upload = models.ForeignKey(
        Upload, null=True, blank=True, on_delete=models.SET_NULL, related_name="drafts"
    )
    audience = models.ForeignKey(
        "sms.SavedAudience", null=True, blank=True, on_delete=models.SET_NULL, related_name="drafts"
    )
    column = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=2, blank=True)
    allow_duplicates = models.BooleanField(default=False)
    policy_group = models.ForeignKey(
        "sms.ContactPolicyGroup", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    link_domain = models.ForeignKey(
        "sms.ShortLinkDomain", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    send_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    lane = models.PositiveSmallIntegerField(choices=Lane, default=Lane.NORMAL)
    resend = models.CharField(max_length=8, choices=Resend, default=Resend.NEVER)
    ramp = models.BooleanField(default=False)
    respect_quiet_hours = models.BooleanField(default=True)
    send = models.OneToOneField(
        "sms.Send",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="draft",
        help_text="What it became.",
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    editors = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        related_name="+",
        blank=True,
        help_text="Whoever saved it: none of them may approve what it becomes.",
    )
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("-changed_at",)

    def __str__(self) -> str:
        return self.name or f"Draft {self.pk}"
