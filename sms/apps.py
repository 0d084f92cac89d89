"""The domain's app configuration: hands the settings' keys to the encrypted fields and the audit, and folders to spool and archives."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class SmsConfig(AppConfig):
    name = "sms"
    verbose_name = "SMS"

    def ready(self) -> None:
        """One object of each for the process, filled here: no setting is read below the edges, and fields of models take no argument."""
        from django.conf import settings

        from sms import checks  # noqa: F401 - registers the system checks
        from sms.compliance.archive import store
        from sms.inbound.optouts import inbound_spool
        from sms.inbound.receipts import spool
        from sms.models.audit_proof import audit_keys
        from sms.models.fields import keyring

        keyring.load(settings.FIELD_KEYS)
        audit_keys.load(settings.AUDIT_KEYS)
        post_migrate.connect(_guard_the_audit, sender=self, dispatch_uid="audit_guard")
        spool.folder = settings.VAR_DIR / "spool"
        inbound_spool.folder = settings.VAR_DIR / "inbound"
        store.folder = settings.ARCHIVE_DIR


def _guard_the_audit(using: str, **rest: Any) -> None:
    """After every migration: on SQLite one that remakes a table drops its triggers."""
    del rest
    from sms.models.sql import audit_guard

    audit_guard.install(connections[using])
