"""The domain's app configuration: hands the settings' keys to the encrypted fields, and their folder to the spool."""

from django.apps import AppConfig


class SmsConfig(AppConfig):
    """Services, catalogue, sends and receipts."""

    name = "sms"
    verbose_name = "SMS"

    def ready(self) -> None:
        """Below the edges values are arguments, so the keyring is filled here."""
        from django.conf import settings

        from sms import checks  # noqa: F401 - registers the system checks
        from sms.models.secret import keyring
        from sms.optout import shelf
        from sms.receipts import spool

        keyring.load(settings.FIELD_KEYS)
        spool.folder = settings.VAR_DIR / "spool"
        shelf.folder = settings.VAR_DIR / "inbound"
