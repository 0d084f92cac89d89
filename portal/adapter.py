"""allauth's settings in code: people are invited, there is no sign-up, and its links are mailed or not made."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from portal import mail_server


class ClosedSignup(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        del request
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Nothing is printed instead: a log is no place for a link that lets people in."""
        if mail_server.is_set_up():
            super().send_mail(template_prefix, email, context)
