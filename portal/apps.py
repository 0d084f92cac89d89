"""The portal's app configuration."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """People, pages, and the supervisor behind `manage.py up`."""

    name = "portal"
    verbose_name = "People"
