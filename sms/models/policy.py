"""Contact-policy groups: consent and frequency caps that the provider checks before it sends."""

from typing import Any

from django.db import models
from django.db.models import CASCADE, CheckConstraint, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from sms.models.fields import SecretField
from sms.models.guard import Guarded, any_change
from sms.models.personal import PersonalData
from sms.webex.origin import origin_of


class ContactPolicyGroup(models.Model):
    """A group of the provider's Contact Policy app, and which of its two checks our sends ask for."""

    audit_noun = "policy group"

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="policy_groups")
    name = models.CharField(max_length=80)
    group_id = models.CharField(_("provider group id"), max_length=64)
    check_consent = models.BooleanField(_("require opt-in"), default=True)
    apply_frequency_cap = models.BooleanField(_("enforce frequency cap"), default=False)
    description = models.CharField(max_length=300, blank=True)
    active = models.BooleanField(default=True)

    personal = PersonalData(service="service", texts="description", catalogue="name", neutral="group_id")

    class Meta:
        verbose_name = _("contact-policy group")
        ordering = ("name",)
        constraints = (
            UniqueConstraint(fields=("service", "name"), name="policy_group_name_is_unique_per_service"),
            CheckConstraint(
                name="policy_group_checks_consent_or_caps_frequency_or_both",
                condition=Q(check_consent=True) | Q(apply_frequency_cap=True),
                violation_error_message=_("Tick at least one: require opt-in, or enforce the frequency cap."),
            ),
        )

    def __str__(self) -> str:
        return self.name


class PolicyConnection(Guarded):
    """How to reach the provider's Contact Policy API, which has a host and a key of its own."""

    WEAKER = dict.fromkeys(
        ("base_url", "profile_key", "key_origin"),
        lambda stored, before, after: bool(stored["key_origin"]) and any_change(stored, before, after),
    )

    service = models.OneToOneField(
        "sms.Service", on_delete=CASCADE, primary_key=True, related_name="policy_connection"
    )
    base_url = models.CharField(
        _("base URL"),
        max_length=200,
        blank=True,
        help_text=_("Only if it differs from the region's, for example a sandbox."),
    )
    profile_key = SecretField(_("profile key"), blank=True)
    key_origin = models.CharField(
        max_length=255,
        blank=True,
        editable=False,
        help_text="Where the key was typed for; it goes nowhere else.",
    )

    personal = PersonalData(team="base_url profile_key key_origin")

    def __str__(self) -> str:
        return f"contact policy of {self.service_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """The key of a new connection is for the address that it is made with."""
        if self._state.adding and not self.key_origin:
            self.keep_key_for_address()
        super().save(*args, **kwargs)

    def keep_key_for_address(self) -> None:
        """The key was just typed for the address that the connection has now."""
        self.key_origin = origin_of(self.url)

    @property
    def url(self) -> str:
        """Base address without a trailing slash: the region's API host with `contactpolicy` for `api`."""
        if self.base_url:
            return self.base_url.rstrip("/")
        host = self.service.region.host
        return f"https://contactpolicy{host.removeprefix('api')}"
