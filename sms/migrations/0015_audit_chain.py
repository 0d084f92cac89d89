import django.utils.timezone
import sms.models.audit
from django.db import migrations, models

from sms.models import audit_guard, audit_proof
from sms.models.audit import AuditEvent

BATCH = 1000


def prove(apps, schema_editor):
    """Rows from before the chain get their MAC here, once: it says that they stood so on this day, not that they always did."""
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sms_auditevent SET nonce = 'before-' || id WHERE mac = ''")
        last = 0
        while True:
            cursor.execute(
                f"SELECT e.id, e.service_slug, {AuditEvent.proven_sql(connection.vendor)}"
                f" FROM sms_auditevent e WHERE e.mac = '' AND e.id > %s ORDER BY e.id LIMIT {BATCH}",
                [last],
            )
            rows = cursor.fetchall()
            if not rows:
                return
            last = rows[-1][0]
            macs = []
            for pk, slug, said in rows:
                text = said.encode() if isinstance(said, str) else bytes(said)
                macs.append((audit_proof.audit_keys.of(slug)[0].mac(text), pk))
            cursor.executemany("UPDATE sms_auditevent SET mac = %s WHERE id = %s", macs)


def guard(apps, schema_editor):
    audit_guard.install(schema_editor.connection)


def unguard(apps, schema_editor):
    audit_guard.remove(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [
        ('sms', '0014_domains'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditLeave',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('service_slug', models.CharField(blank=True, max_length=40)),
                ('until_id', models.BigIntegerField()),
            ],
        ),
        migrations.AddField(
            model_name='auditevent',
            name='mac',
            field=models.CharField(default='', editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='nonce',
            field=models.CharField(default='', editable=False, help_text='Random, so that two rows never say the same and a digest gives nothing away.', max_length=30),
        ),
        migrations.AlterField(
            model_name='auditevent',
            name='at',
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
        ),
        migrations.AlterField(
            model_name='auditevent',
            name='details',
            field=sms.models.audit.DetailsField(default=dict, help_text='Never holds a text, a number or a secret.'),
        ),
        migrations.CreateModel(
            name='AuditSeal',
            fields=[
                ('event_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('service_slug', models.CharField(blank=True, max_length=40)),
                ('number', models.BigIntegerField(help_text='From 1, without gaps.')),
                ('digest', models.CharField(max_length=64)),
                ('hash', models.CharField(max_length=64)),
                ('mac', models.CharField(max_length=64)),
            ],
            options={
                'ordering': ('service_slug', 'number'),
                'constraints': [models.UniqueConstraint(fields=('service_slug', 'number'), name='audit_seal_number_once_per_service')],
            },
        ),
        migrations.RunPython(prove, migrations.RunPython.noop),
        migrations.RunPython(guard, unguard),
    ]
