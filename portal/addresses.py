"""Another e-mail address for a person: an admin asks for it, and the reader of the new mailbox confirms it.

The address says in the audit and in approvals who a person is, so people do not change their own. The admin site asks, the link's page
confirms. The link is signed, holds for three days, and is worthless once the address is another one.
"""

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from portal import mail_server
from portal.models import User
from sms.models import Actor
from sms.models.audit import audit
from sms.words import in_language

HOLDS_FOR = 3 * 24 * 3600  # seconds
_SALT = "portal.address"


class LinkGone(ValueError):
    """The link leads nowhere (any more), with what to do."""


def ask(user: User, email: str, *, by: Actor) -> str:
    """Ask the new mailbox; nothing changes until it confirms. The link, which the admin hands over where no mail could be sent."""
    token = signing.dumps([user.pk, user.email, email], salt=_SALT)
    audit("user.address_asked", user, by=by, before=user.email, after=email)
    return f"{settings.PUBLIC_URL}{reverse('address_confirm', args=[token])}"


def mail_link(user: User, email: str, link: str) -> bool:
    """Whether it was sent."""
    with in_language(user.language):
        words = _(
            "An admin of Textdesk wants to use this address for your account. Open this link to confirm that it is yours; it holds for "
            "three days:\n\n%(link)s\n\nIf you did not expect this, do nothing.\n"
        )
        return mail_server.send(_("Confirm your address on Textdesk"), words % {"link": link}, email)


def asked(token: str) -> tuple[User, str]:
    """Whose address a link changes, and to what. Raises LinkGone."""
    try:
        pk, before, after = signing.loads(token, salt=_SALT, max_age=HOLDS_FOR)
    except signing.BadSignature:
        says = _("This link is not complete, or it is older than three days. Ask your admin for a new one.")
        raise LinkGone(says) from None
    user = User.objects.filter(pk=pk, email=before, is_active=True).first()
    if user is None:
        raise LinkGone(_("This link was used already. Sign in with your new address."))
    return user, after


def confirm(token: str, *, caller: str) -> User:
    """Once: the new address is the person's, and the only one that signs in. Raises LinkGone."""
    user, after = asked(token)
    before = user.email
    try:
        with transaction.atomic():
            if not User.objects.filter(pk=user.pk, email=before).update(email=after):
                raise LinkGone(_("This link was used already. Sign in with your new address."))
            # allauth signs in by its own rows too: the old one would go on opening the account
            EmailAddress.objects.filter(user=user).delete()
            EmailAddress.objects.filter(email__iexact=after).delete()
            EmailAddress.objects.create(user=user, email=after, primary=True, verified=True)
            by = Actor.person(user, address=caller)
            user.email = after
            audit("user.address_changed", user, by=by, before=before, after=after)
    except IntegrityError:
        raise LinkGone(_("Another person has this address now. Ask your admin.")) from None
    with in_language(user.language):
        words = _(
            "You sign in with %(email)s from now on. If you did not expect this, tell an admin of your desk at once.\n"
        )
        for mailbox in (after, before):
            mail_server.send(_("Your address on Textdesk was changed"), words % {"email": after}, mailbox)
    return user
