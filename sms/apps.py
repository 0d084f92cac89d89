"""The domain's app configuration: hands the settings' keys to the encrypted fields and the audit, and folders to spool and archives."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class SmsConfig(AppConfig):
    name = "sms"
    verbose_name = "SMS"

    def ready(self) -> None:
        """One object of each for the process, filled here: no setting is read below the edges, and fields of models take no argument."""
        from django.conf import settings
        from django.core.files.storage import storages

        from sms import callbacks, checks  # noqa: F401 - `checks` registers the system checks
        from sms.compliance.archive import store
        from sms.dispatch import epochs
        from sms.dispatch.journal import journals
        from sms.inbound.optouts import inbound_spool
        from sms.inbound.receipts import spool
        from sms.ledger.slices import id_guard
        from sms.models.audit_proof import audit_keys
        from sms.models.fields import keyring
        from sms.models.sql import limits
        from sms.operations import database_errors

        keyring.load(settings.FIELD_KEYS)
        audit_keys.load(settings.AUDIT_KEYS)
        callbacks.allowed_addresses.policy = lambda: callbacks.AddressPolicy(**settings.CALLBACKS)
        connection_created.connect(_keep_private, dispatch_uid="private_database")
        connection_created.connect(database_errors.watch, dispatch_uid="database_errors")
        connection_created.connect(_limit, dispatch_uid="limits")
        post_migrate.connect(_guard_the_audit, sender=self, dispatch_uid="audit_guard")
        spool.folder = settings.VAR_DIR / "spool"
        inbound_spool.folder = settings.VAR_DIR / "inbound"
        journals.folder = settings.VAR_DIR / "dispatch"
        store.folder = settings.ARCHIVE_DIR
        epochs.folders = (settings.VAR_DIR, settings.ARCHIVE_DIR)
        epochs.lossless = settings.SYNCHRONOUS_STANDBY
        bucket: Any = storages["archives"] if "archives" in settings.STORAGES else None
        store.bucket = epochs.bucket = bucket
        id_guard.look = epochs.is_another
        limits.given = settings.DATABASE_SESSION


def _guard_the_audit(using: str, **_: Any) -> None:
    """After every migration: on SQLite one that remakes a table drops its triggers."""
    from sms.models.sql import audit_guard, fixed_columns, history

    for one in (audit_guard, fixed_columns, history):
        one.install(connections[using])


def _keep_private(connection: Any, **_: Any) -> None:
    """The embedded database is its owner's alone, whatever umask made it; what SQLite puts beside it follows."""
    if connection.vendor != "sqlite":
        return
    name = str(connection.settings_dict["NAME"])
    for suffix in ("", "-wal", "-shm"):
        path = Path(name + suffix)
        with suppress(OSError):  # in memory, or not there yet
            found = path.stat()
            if found.st_uid == os.geteuid() and found.st_mode & 0o077:
                path.chmod(0o600)


def _limit(connection: Any, **_: Any) -> None:
    """Said here and not in the address of the database, whose `options` PgBouncer refuses."""
    from sms.models.sql import limits

    if connection.vendor == "postgresql":
        limits.begin(connection)
