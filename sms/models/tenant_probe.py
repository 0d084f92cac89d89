"""A tenant probe: questions to a service's Webex Connect, with what was posted, what came back and what was found. Written by
`sms.catalogue.tenant_probe`.

Bodies are kept without the number: `the-number` stands in its place.
"""

from django.db import models
from django.db.models import CASCADE, SET_NULL, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from sms.models.personal import PersonalData

MOST_MESSAGES = 12
NUMBER = "the-number"


class TenantProbe(models.Model):
    """One run. The number is that of the phone in hand; it is forgotten when the run ends."""

    audit_noun = "tenant probe"

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="probes")
    msisdn = models.CharField(_("your phone's number"), max_length=16, blank=True)
    sender = models.ForeignKey("sms.Sender", null=True, on_delete=SET_NULL, related_name="+")
    link_domain = models.ForeignKey(
        "sms.ShortLinkDomain",
        verbose_name=_("short-link domain"),
        null=True,
        blank=True,
        on_delete=SET_NULL,
        related_name="+",
        help_text=_("For the question about link options."),
    )
    smartlink = models.ForeignKey(
        "sms.Smartlink",
        null=True,
        blank=True,
        on_delete=SET_NULL,
        related_name="+",
        help_text=_("For the question about smartlinks."),
    )
    origin = models.CharField(max_length=255, help_text="The address that was asked.")
    by = models.CharField(max_length=254, help_text="Who began it.")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    personal = PersonalData(service="service", numbers="msisdn", team="origin by")

    class Meta:
        ordering = ("-id",)
        constraints = (
            UniqueConstraint(
                fields=("service",),
                condition=Q(ended_at__isnull=True),
                name="service_has_one_open_tenant_probe",
            ),
        )

    def __str__(self) -> str:
        return f"tenant probe {self.pk}"


class ProbeStep(models.Model):
    """One question of a run."""

    class State(models.TextChoices):
        OPEN = "open", _("Not asked yet")
        POSTED = "posted", _("Waiting for your answer")
        ANSWERED = "answered", _("Answered")
        UNANSWERED = "unanswered", _("Not found out")
        SKIPPED = "skipped", _("Left out")

    probe = models.ForeignKey(TenantProbe, on_delete=CASCADE, related_name="steps")
    question = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    choice = models.CharField(max_length=20, blank=True, help_text="What the person saw.")
    says = models.CharField(max_length=300, blank=True, help_text="What came of it, in a sentence.")
    by = models.CharField(max_length=254, blank=True)
    at = models.DateTimeField(null=True, blank=True)

    personal = PersonalData(service="probe__service", neutral="question choice", team="says by")

    class Meta:
        ordering = ("id",)
        constraints = (
            UniqueConstraint(fields=("probe", "question"), name="tenant_probe_asks_a_question_once"),
        )

    def __str__(self) -> str:
        return f"{self.question} ({self.state})"


class ProbePost(models.Model):
    """One request. `cost` is how many messages it may have sent; it is written before the first byte leaves, and 0 once it is refused."""

    step = models.ForeignKey(ProbeStep, on_delete=CASCADE, related_name="posts")
    variant = models.CharField(max_length=20)
    cost = models.PositiveSmallIntegerField()
    body = models.TextField(blank=True)
    status = models.PositiveSmallIntegerField(default=0)
    reply = models.TextField(blank=True)
    code = models.CharField(max_length=20, blank=True)
    accepted = models.BooleanField(null=True, help_text="Empty: not known.")
    at = models.DateTimeField()

    personal = PersonalData(service="step__probe__service", texts="body reply", neutral="variant code")

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.variant}: {self.status} {self.code}"


class ProbeReceipt(models.Model):
    """One notification about a message of a probe, each time that it came."""

    post = models.ForeignKey(ProbePost, on_delete=CASCADE, related_name="receipts")
    place = models.PositiveSmallIntegerField(help_text="Which of the post's messages it is about.")
    webhook = models.BooleanField(default=False, help_text="It came to the address for webhooks.")
    signed = models.BooleanField(default=False)
    raw = models.TextField()
    at = models.DateTimeField()

    personal = PersonalData(service="post__step__probe__service", texts="raw")

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"receipt of {self.post}"


class ProbeFinding(models.Model):
    """What a question found out of one doubt. The newest of a doubt counts, for the address and the credentials that it was found with."""

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="probe_findings")
    step = models.ForeignKey(ProbeStep, on_delete=CASCADE, related_name="findings")
    doubt = models.CharField(max_length=30)
    value = models.CharField(max_length=30)
    origin = models.CharField(max_length=255)
    by = models.CharField(max_length=254)
    at = models.DateTimeField()

    personal = PersonalData(service="service", neutral="doubt value", team="origin by")

    class Meta:
        ordering = ("-id",)
        constraints = (UniqueConstraint(fields=("step", "doubt"), name="tenant_probe_finds_a_doubt_once"),)

    def __str__(self) -> str:
        return f"{self.doubt}={self.value}"
