import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sms', '0005_draft_choices'),
    ]

    operations = [
        migrations.AddField(
            model_name='click',
            name='rules_version',
            field=models.PositiveSmallIntegerField(default=0, help_text='Version of the rules that decided; 0 before the first time, and not counted yet.'),
        ),
        migrations.CreateModel(
            name='ClickCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verdict', models.CharField(choices=[('human', 'Human'), ('machine', 'Machine'), ('unsure', 'Unsure')], max_length=10)),
                ('clicks', models.BigIntegerField(default=0)),
                ('messages', models.BigIntegerField(default=0, help_text='Messages whose best click is this: human before unsure before machine. They add up.')),
                ('send', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='click_counts', to='sms.send')),
            ],
            options={
                'ordering': ('send', 'verdict'),
                'constraints': [models.UniqueConstraint(fields=('send', 'verdict'), name='click_count_once_per_send_and_verdict')],
            },
        ),
    ]
