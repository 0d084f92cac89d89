"""Who may do what in which service, and who is invited."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('portal', '0001_initial'),
        ('sms', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='invitations', to='sms.service')),
                ('email', models.EmailField(max_length=254, verbose_name='e-mail address')),
                ('roles', models.JSONField(default=list)),
                ('nonce', models.CharField(editable=False, max_length=43)),
                ('made_at', models.DateTimeField(auto_now_add=True)),
                ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('expires_at', models.DateTimeField()),
                ('accepted_at', models.DateTimeField(blank=True, null=True)),
                ('accepted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='invitations', to=settings.AUTH_USER_MODEL)),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ('-id',),
                'constraints': [models.UniqueConstraint(condition=models.Q(('accepted_at__isnull', True), ('withdrawn_at__isnull', True)), fields=('service', 'email'), name='invitation_open_once_per_address'), models.CheckConstraint(condition=models.Q(('accepted_at__isnull', True), ('withdrawn_at__isnull', True), _connector='OR'), name='invitation_is_accepted_or_withdrawn_not_both')],
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
                ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='sms.service')),
                ('role', models.CharField(choices=[('composer', 'Composer'), ('approver', 'Approver'), ('admin', 'Admin'), ('auditor', 'Auditor')], max_length=10)),
                ('given_at', models.DateTimeField(auto_now_add=True)),
                ('given_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('service', 'user', 'role'),
                'constraints': [models.UniqueConstraint(fields=('user', 'service', 'role'), name='member_has_each_role_once_per_service'), models.CheckConstraint(condition=models.Q(('role__in', ['composer', 'approver', 'admin', 'auditor'])), name='member_role_is_a_known_one')],
            },
        ),
    ]
