"""Half of each page of messages stays free for what becomes of them (docs/decisions/0010). PostgreSQL only, and for new pages only."""

from django.db import migrations


def leave_room(apps, schema_editor):
    _storage(schema_editor, "SET (fillfactor = 50)")


def fill(apps, schema_editor):
    _storage(schema_editor, "RESET (fillfactor)")


def _storage(schema_editor, what):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE sms_message {what}")


class Migration(migrations.Migration):

    dependencies = [
        ('sms', '0022_retention'),
    ]

    operations = [
        migrations.RunPython(leave_room, fill),
    ]
