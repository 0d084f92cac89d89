import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sms', '0003_dispatch'),
    ]

    operations = [
        migrations.CreateModel(
            name='Heartbeat',
            fields=[
                ('name', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('host', models.CharField(max_length=255)),
                ('pid', models.PositiveIntegerField()),
                ('kind', models.CharField(choices=[('cluster', 'django-q2 worker'), ('dispatch', 'manage.py dispatch')], max_length=10)),
                ('started_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('beat_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('doing', models.CharField(blank=True, help_text='Empty while it rests.', max_length=20)),
                ('progress', models.BigIntegerField(default=0, help_text='Messages posted since it started.')),
            ],
            options={
                'ordering': ('-beat_at',),
            },
        ),
    ]
