"""Where Webex Connect posts to a service, and what those posts have to be signed with: columns of `Service`."""

import hmac
import secrets

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from sms.models.fields import SecretField
from sms.webex import limits


def new_token() -> str:
    """An unguessable path part, 256 bits."""
    return secrets.token_urlsafe(32)


AUTH_ID = RegexValidator(
    rf"\A{limits.AUTH_ID.pattern}\Z",
    _("“%(value)s” is no id of an authorization. Write up to 64 letters and digits."),
)


class ReceiptSettings(models.Model):
    """Two addresses. The one in messages (`receipt_token`) goes into notifyUrl: whoever has it may post, unless the service says that it
    is signed as well. The one of webhooks (`webhook_token`) is signed as soon as there is a secret and a first good signature came.
    """

    receipt_token = models.CharField(max_length=64, unique=True, default=new_token, editable=False)
    receipt_token_before = models.CharField(max_length=64, unique=True, null=True, editable=False)
    receipt_token_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Until then the previous address is answered too."
    )
    webhook_token = models.CharField(max_length=64, unique=True, default=new_token, editable=False)
    webhook_token_before = models.CharField(max_length=64, unique=True, null=True, editable=False)
    webhook_token_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Until then the previous address is answered too."
    )
    receipt_secret = SecretField(
        _("signature secret"), blank=True, help_text=_("The secret of the outbound webhook, if it has one.")
    )
    receipt_secret_before = SecretField(_("previous signature secret"), blank=True)
    receipt_algorithm = models.CharField(
        _("signed with"),
        max_length=6,
        default="sha256",
        choices=(("sha256", "SHA-256"), ("sha512", "SHA-512")),
    )
    notify_url_signed = models.BooleanField(
        _("receipts by notifyUrl are signed too"),
        default=False,
        help_text=_(
            "Leave it off unless you have seen one signed: Webex Connect does not say that it signs them."
        ),
    )
    notify_url_auth_id = models.CharField(
        _("authorization for receipts"),
        max_length=limits.LONGEST_AUTH_ID,
        blank=True,
        validators=[AUTH_ID],
        help_text=_(
            "The id of an authorization in Webex Connect (notifyUrlAuthId), with which it signs in to what stands in front of "
            "Textdesk. Goes into every message that names no other."
        ),
    )
    receipt_asked_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When the provider last looked whether the address is there.",
    )

    class Meta:
        abstract = True

    @property
    def receipt_secrets(self) -> list[str]:
        """Secrets that a post may be signed with now: the newest first, the previous one during rotation."""
        return [secret for secret in (self.receipt_secret, self.receipt_secret_before) if secret]

    @property
    def signature_mark(self) -> str:
        """What today's secret and its algorithm are known by where a signature was proved with them; "" without a secret."""
        if not self.receipt_secret:
            return ""
        key: str = self.correlation_key  # type: ignore[attr-defined]
        said = f"{self.receipt_algorithm}:{self.receipt_secret}"
        return hmac.digest(key.encode(), said.encode(), "sha256").hex()[:32]
