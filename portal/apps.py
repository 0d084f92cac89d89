"""The portal's app configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = gettext_lazy("People")

    def ready(self) -> None:
        """Connect mails about accounts, the audit of sign-ins, and what other packages hold about people."""
        from allauth.account.signals import user_logged_in
        from django.conf import settings

        from portal import (  # noqa: F401 - `deploy_checks` registers checks
            account_mail,
            deploy_checks,
            error_reports,
            field_names,
            foreign_lines,
            leaving_approvers,
            personal,
            session_ends,
            sign_in_audit,
            tracing,
        )

        field_names.translate()
        if settings.LOG_FORMAT == "json":
            foreign_lines.begin()
        error_reports.begin()
        tracing.begin()
        from portal.going_live import connection as going_live_connection
        from portal.sso.signing_in import note_factor
        from sms.compliance import rotate_keys
        from sms.guard import took_effect

        took_effect.connect(going_live_connection.on_took_effect, dispatch_uid="connection_follows")
        sign_in_audit.connect()
        user_logged_in.connect(note_factor, dispatch_uid="issuers_factor")
        account_mail.connect()
        session_ends.connect()
        leaving_approvers.connect()
        personal.declare()
        rotate_keys.json_columns.append(("mfa.Authenticator", "data"))
