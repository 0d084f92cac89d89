"""The domain's app configuration: hands the keys of the settings to the encrypted fields."""

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

        keyring.load(settings.FIELD_KEYS)
