"""Processes of the version before go on while an upgrade runs: what they do not know of, the database fills."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('portal', '0004_own_number'),
    ]

    operations = [
        migrations.AlterField(
            model_name='user',
            name='own_number',
            field=models.CharField(blank=True, db_default='', default='', help_text='E.164 with its plus. Tests of drafts can go there.', max_length=16),
        ),
    ]
