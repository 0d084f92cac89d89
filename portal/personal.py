"""What models of other packages hold about people (`sms.models.personal`), which cannot say it in their class bodies.

Recipients do not stand in them, except for what a failed task was doing and what the admin site noted. Called by `portal.apps`.
"""

from typing import Any

from django.apps import apps

from sms.models.personal import PersonalData

DECLARED = {
    "account.EmailAddress": PersonalData(team="email"),
    "account.EmailConfirmation": PersonalData(team="key"),
    "mfa.Authenticator": PersonalData(team="data"),
    "socialaccount.SocialAccount": PersonalData(team="uid extra_data", neutral="provider"),
    "socialaccount.SocialApp": PersonalData(
        neutral="provider provider_id name client_id secret key settings"
    ),
    "socialaccount.SocialToken": PersonalData(team="token token_secret"),
    "auth.Permission": PersonalData(neutral="name codename"),
    "auth.Group": PersonalData(team="name"),
    "contenttypes.ContentType": PersonalData(neutral="app_label model"),
    "admin.LogEntry": PersonalData(texts="object_repr change_message", neutral="object_id"),
    "sessions.Session": PersonalData(
        packed="session_data", team="session_key", unpacked=lambda row: str(row.get_decoded())
    ),
    "django_q.Task": PersonalData(
        packed="args kwargs result",
        neutral="id name func hook group cluster",
        unpacked=lambda row: f"{row.args} {row.kwargs} {row.result}",
    ),
    "django_q.OrmQ": PersonalData(packed="payload", neutral="key", unpacked=lambda row: str(row.task)),
    "django_q.Schedule": PersonalData(
        neutral="name func hook args kwargs cron task cluster intended_date_kwarg"
    ),
}


def declare() -> None:
    for label, personal in DECLARED.items():
        model: Any = apps.get_model(label)
        model.personal = personal
