"""The portal's app configuration."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """People, pages, and the supervisor behind `manage.py up`."""

    name = "portal"
    verbose_name = "People"

    def ready(self) -> None:
        """Admins hear of an endpoint that was switched off."""
        from portal import callback_mail
        from sms.callbacks import endpoint_disabled

        endpoint_disabled.connect(callback_mail.on_disabled, dispatch_uid="callback_mail")
