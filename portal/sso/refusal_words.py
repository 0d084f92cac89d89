"""Why single sign-on let nobody in: the heading and the sentences of the page, and whether trying again can help. `email` is the
address that the issuer gave.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class RefusalWords:
    title: "StrOrPromise"
    says: "StrOrPromise"
    again: bool


WORDS = {
    "away": RefusalWords(
        gettext_lazy("Your organisation's sign-in does not answer"),
        gettext_lazy(
            "Textdesk could not reach it just now. Wait a minute and try again. If it stays like this, tell your operator."
        ),
        again=True,
    ),
    "wrong_client": RefusalWords(
        gettext_lazy("Your organisation's sign-in does not know Textdesk"),
        gettext_lazy(
            "It refused the name or the secret with which Textdesk asks. Nothing is wrong with your account: tell your operator "
            "that OIDC_CLIENT_ID or OIDC_CLIENT_SECRET is wrong."
        ),
        again=False,
    ),
    "wrong_issuer": RefusalWords(
        gettext_lazy("Your organisation's sign-in answered as another person"),
        gettext_lazy(
            "What came back is not from the issuer that is set up here. Tell your operator to compare OIDC_ISSUER with what the "
            "issuer calls itself."
        ),
        again=False,
    ),
    "cancelled": RefusalWords(
        gettext_lazy("You cancelled signing in"),
        gettext_lazy("Nothing was done. Try again when you like, or sign in another way."),
        again=True,
    ),
    "state_lost": RefusalWords(
        gettext_lazy("This sign-in was used already, or took too long"),
        gettext_lazy(
            "That happens with the back button, with a link that was kept, or after ten minutes. Begin again."
        ),
        again=True,
    ),
    "clock": RefusalWords(
        gettext_lazy("Two clocks do not agree"),
        gettext_lazy(
            "The answer of your organisation's sign-in is from another time than it is here. Try again; if it stays like this, "
            "tell your operator to set this server's clock by NTP."
        ),
        again=True,
    ),
    "not_verified": RefusalWords(
        gettext_lazy("Your e-mail address is not confirmed there"),
        gettext_lazy(
            "Your organisation's sign-in does not vouch for your e-mail address, so Textdesk cannot tell who you are. Confirm it"
            " there, or ask the people who run it to send email_verified."
        ),
        again=True,
    ),
    "not_invited": RefusalWords(
        gettext_lazy("You are not invited yet"),
        gettext_lazy(
            "Your organisation's sign-in knows you as %(email)s, and no person at this desk has that address. Ask an admin to "
            "invite you with exactly this address."
        ),
        again=False,
    ),
    "bound_elsewhere": RefusalWords(
        gettext_lazy("This address belongs to another sign-in"),
        gettext_lazy(
            "The account of %(email)s is bound to another person of your organisation's sign-in, perhaps an older account of "
            "yours. Ask a superuser of the desk to unbind it."
        ),
        again=False,
    ),
    "superuser": RefusalWords(
        gettext_lazy("Superusers are not taken over by single sign-on"),
        gettext_lazy(
            "%(email)s is a superuser of this desk. Sign in with your password, as your operator can give the right by a group "
            "as well."
        ),
        again=False,
    ),
    "inactive": RefusalWords(
        gettext_lazy("You may not sign in"),
        gettext_lazy("Your account at this desk is switched off. Ask an admin."),
        again=False,
    ),
    "groups_cut": RefusalWords(
        gettext_lazy("Your groups did not fit"),
        gettext_lazy(
            "You are in more groups than your organisation's sign-in sends, so Textdesk cannot tell your roles. Ask your "
            "operator to send only the groups that are assigned to Textdesk."
        ),
        again=False,
    ),
    "password_off": RefusalWords(
        gettext_lazy("Sign in with single sign-on"),
        gettext_lazy(
            "Your account is bound to your organisation's sign-in, and passwords of such accounts are not taken here."
        ),
        again=True,
    ),
    "refused": RefusalWords(
        gettext_lazy("Your organisation's sign-in refused"),
        gettext_lazy(
            "It answered with an error that Textdesk cannot fix. Try again, and if it stays like this, tell your operator what "
            "you did."
        ),
        again=True,
    ),
}
