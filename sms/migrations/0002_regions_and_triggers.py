"""What the models cannot say: the provider's regions, the triggers that guard the audit and what is simulated, the functions that tell one server from
another, room in the pages of messages, and the months of receipts."""

from django.db import migrations

from sms.models.sql import audit_guard, fixed_columns, history, receipt_months

# The provider's table, with the DNS targets of its short-link domains; editable afterwards.
# key, name, API host, host documented, CNAME, A record
REGIONS = (
    ("ca", "AWS Canada", "api.ca.webexconnect.io", True, "star-1176184099.ca-central-1.elb.amazonaws.com", None),
    ("eu", "AWS Ireland", "api.eu.webexconnect.io", True, "star-1747495833.eu-west-1.elb.amazonaws.com", None),
    ("uk", "AWS London", "api.uk.webexconnect.io", True, "star-1656037958.eu-west-2.elb.amazonaws.com", None),
    ("us", "AWS Oregon", "api.us.webexconnect.io", True, "star-1571873968.us-west-2.elb.amazonaws.com", None),
    ("us1", "Azure (US)", "api.us1.webexconnect.io", True, "", "52.138.107.55"),
    ("in", "AWS Mumbai", "api.in.webexconnect.io", True, "star-64546195.ap-south-1.elb.amazonaws.com", None),
    ("au", "AWS Sydney", "api.au.webexconnect.io", True, "star-131871454.ap-southeast-2.elb.amazonaws.com", None),
    ("sg", "AWS Singapore", "api.sg.webexconnect.io", False, "star-581943434.ap-southeast-1.elb.amazonaws.com", None),
)


def add_regions(apps, schema_editor):
    region = apps.get_model("sms", "Region")
    for key, name, host, documented, cname, address in REGIONS:
        region.objects.get_or_create(
            key=key,
            defaults={"name": name, "host": host, "host_documented": documented, "cname": cname, "a_record": address},
        )


def remove_regions(apps, schema_editor):
    apps.get_model("sms", "Region").objects.filter(key__in=[row[0] for row in REGIONS]).delete()


def guard_the_audit(apps, schema_editor):
    audit_guard.install(schema_editor.connection)


def unguard_the_audit(apps, schema_editor):
    audit_guard.remove(schema_editor.connection)


def fix_columns(apps, schema_editor):
    fixed_columns.install(schema_editor.connection)


def free_columns(apps, schema_editor):
    fixed_columns.remove(schema_editor.connection)


def tell_history(apps, schema_editor):
    history.install(schema_editor.connection)


def forget_history(apps, schema_editor):
    history.remove(schema_editor.connection)


def leave_room(apps, schema_editor):
    """Half of each page stays free for the changes of state (docs/decisions/0010). PostgreSQL only."""
    _storage(schema_editor, "SET (fillfactor = 50)")


def fill(apps, schema_editor):
    _storage(schema_editor, "RESET (fillfactor)")


def _storage(schema_editor, what):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE sms_message {what}")


def divide_receipts(apps, schema_editor):
    receipt_months.install(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [
        ('sms', '0001_initial'),
    ]

    operations = [
        migrations.RunPython(add_regions, remove_regions),
        migrations.RunPython(guard_the_audit, unguard_the_audit),
        migrations.RunPython(fix_columns, free_columns),
        migrations.RunPython(tell_history, forget_history),
        migrations.RunPython(leave_room, fill),
        migrations.RunPython(divide_receipts, migrations.RunPython.noop),  # the table goes with 0001
    ]
