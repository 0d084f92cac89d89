"""Processes of the version before go on while an upgrade runs: what they do not know of, the database fills."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sms', '0028_erasure'),
    ]

    operations = [
        migrations.AddField(
            model_name='preparation',
            name='tries',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, help_text='How often it broke off since its last block.'),
        ),
        migrations.AddField(
            model_name='preparation',
            name='movers',
            field=models.JSONField(db_default=[], default=list, help_text='Keys of those who moved the send before it could be asked about: they cannot approve it.'),
        ),
        migrations.AlterField(
            model_name='audiencechunk',
            name='rejected',
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name='audiencechunk',
            name='rejects',
            field=models.BinaryField(db_default=b'', default=b'', help_text='Compressed: rejected rows met on the way, with their cells.'),
        ),
        migrations.AlterField(
            model_name='audienceversion',
            name='allow_duplicates',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name='audienceversion',
            name='asked_column',
            field=models.CharField(blank=True, db_default='', default='', help_text='The column that somebody chose; empty to find it.', max_length=200),
        ),
        migrations.AlterField(
            model_name='audienceversion',
            name='digest',
            field=models.CharField(blank=True, db_default='', default='', help_text='SHA-256 of numbers and cells in the order of the rows.', max_length=64),
        ),
        migrations.AlterField(
            model_name='draft',
            name='again',
            field=models.CharField(blank=True, db_default='', default='', help_text='Digest of the file or the people that somebody wants to write to once more.', max_length=64),
        ),
        migrations.AlterField(
            model_name='draft',
            name='fillings',
            field=models.JSONField(blank=True, db_default={}, default=dict, help_text='By placeholder: the column of another name that fills it, and what stands where a row has nothing.'),
        ),
        migrations.AlterField(
            model_name='draft',
            name='labels',
            field=models.CharField(blank=True, db_default='', default='', help_text='Words by which reports are sorted, with commas between them.', max_length=400),
        ),
        migrations.AlterField(
            model_name='factprofile',
            name='labels',
            field=models.CharField(blank=True, db_default='', default='', help_text='Words in order, with commas between them.', max_length=400),
        ),
        migrations.AlterField(
            model_name='factprofile',
            name='untracked',
            field=models.BooleanField(db_default=False, default=False, help_text='Links are shortened, and clicks are not asked for.'),
        ),
        migrations.AlterField(
            model_name='optout',
            name='country',
            field=models.CharField(blank=True, db_default='', default='', help_text='Of the number, once only its digest is here; facts need it.', max_length=2),
        ),
        migrations.AlterField(
            model_name='send',
            name='audience_digest',
            field=models.CharField(blank=True, db_default='', default='', help_text='Of numbers and cells in their order, however they came.', max_length=64),
        ),
        migrations.AlterField(
            model_name='send',
            name='file_sha256',
            field=models.CharField(blank=True, db_default='', default='', help_text='Of the uploaded file, so that the same one is noticed.', max_length=64),
        ),
        migrations.AlterField(
            model_name='service',
            name='opt_outs_hidden',
            field=models.BooleanField(db_default=False, default=False, editable=False, help_text='Whether opt-outs of erased people are kept as digests, so that both forms of a number are looked up.'),
        ),
    ]
