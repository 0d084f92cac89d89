import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sms', '0006_clicks'),
    ]

    operations = [
        migrations.AddField(
            model_name='service',
            name='receipt_token_before',
            field=models.CharField(editable=False, max_length=64, null=True, unique=True),
        ),
        migrations.AddField(
            model_name='service',
            name='receipt_token_until',
            field=models.DateTimeField(blank=True, editable=False, help_text='Until then the previous address is answered too.', null=True),
        ),
        migrations.AddField(
            model_name='statecount',
            name='window',
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name='receipt',
            name='service',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='receipts', to='sms.service'),
        ),
        migrations.AddIndex(
            model_name='statecount',
            index=models.Index(condition=models.Q(('window__gt', 0)), fields=['window'], name='state_count_by_window'),
        ),
    ]
