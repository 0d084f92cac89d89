"""Holds: who or what stopped a send, a sender or a short-link domain, and what has been done about it since."""

from django.db import models
from django.db.models import CASCADE, CheckConstraint, Index, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from sms.models.columns import set_together
from sms.models.personal import PersonalData
from sms.values.msisdn.mention import masked


class HoldQuerySet(models.QuerySet["Hold"]):
    def active(self) -> "HoldQuerySet":
        return self.filter(lifted_at__isnull=True)


class Hold(models.Model):
    """Nothing that it covers is posted until it is lifted. A whole service is paused by `Service.paused_at`, not by a hold.

    Exactly one of `send`, `sender` and `link_domain` is set. `rule` names the automatic rule that placed it, empty for a person;
    `facts` are the figures at that moment, for the banner.
    """

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="holds")
    send = models.ForeignKey("sms.Send", null=True, blank=True, on_delete=CASCADE, related_name="holds")
    sender = models.ForeignKey("sms.Sender", null=True, blank=True, on_delete=CASCADE, related_name="holds")
    link_domain = models.ForeignKey(
        "sms.ShortLinkDomain", null=True, blank=True, on_delete=CASCADE, related_name="holds"
    )
    rule = models.CharField(max_length=20, blank=True)
    because = models.CharField(max_length=300)
    facts = models.JSONField(default=dict, blank=True)
    placed_at = models.DateTimeField(db_default=Now())
    placed_by = models.CharField(max_length=254)
    by_program = models.BooleanField(
        default=False,
        db_default=False,
        help_text="By an API key: a key may lift it, as it may not what a person placed.",
    )
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=254, blank=True)

    objects = HoldQuerySet.as_manager()

    personal = PersonalData(
        service="service", texts="because", team="placed_by lifted_by", neutral="rule facts"
    )

    class Meta:
        ordering = ("-id",)
        indexes = (
            Index(fields=("service",), name="hold_in_force", condition=Q(lifted_at__isnull=True)),
        )  # used by: claim, arm, the service's pages
        constraints = (
            CheckConstraint(
                name="hold_covers_exactly_one_thing",
                condition=Q(send__isnull=False, sender__isnull=True, link_domain__isnull=True)
                | Q(send__isnull=True, sender__isnull=False, link_domain__isnull=True)
                | Q(send__isnull=True, sender__isnull=True, link_domain__isnull=False),
            ),
            set_together("hold_is_lifted_at_and_by_or_neither", "lifted_at", "lifted_by"),
        )

    def __str__(self) -> str:
        return f"{self.covers}: {masked(self.because)}"

    @property
    def covers(self) -> str:
        if self.send_id:
            return _("this send")
        if self.sender_id:
            return _("sender %(sender)s") % {"sender": self.sender}
        return _("short-link domain %(domain)s") % {"domain": self.link_domain}
