"""The secrets that callbacks are signed with: given or made, handed over, ended. All audited.

The secret of a notifyUrl's host may be the one that its receiver checks `x-hub-signature` with already, whatever it looks like. Where
nobody has seen a secret there is nothing to hand over: the first new one holds at once.
"""

import re

from django.db import transaction
from django.utils.translation import gettext as _

from sms.callbacks import sign
from sms.models import Actor, CallbackEndpoint
from sms.models.audit import audit
from sms.models.callback import PREFIX, new_secret
from sms.models.service import HAND_OVER
from sms.models.sql.clock import corrected_now

SHORTEST_KEY, LONGEST_KEY = 24, 64  # bytes, as Standard Webhooks wants them
SECRETS = ("secret", "secret_shown", "secret_before", "secret_before_until")
_PLAIN = re.compile(r"[!-~]{8,200}")


def secret_problem(secret: str, kind: str) -> str:
    """Why a secret cannot be used for an endpoint of that kind, as a sentence; empty where it can."""
    if kind == CallbackEndpoint.Kind.NOTIFY and not secret.startswith(PREFIX):
        return (
            "" if _PLAIN.fullmatch(secret) else _("Write 8 to 200 letters, digits and signs without spaces.")
        )
    try:
        size = len(sign.key(secret)) if secret.startswith(PREFIX) else 0
    except ValueError:
        size = 0
    if SHORTEST_KEY <= size <= LONGEST_KEY:
        return ""
    # Translators: prefix is “whsec_”.
    says = _("Write %(prefix)s and the base64 of %(least)s to %(most)s bytes, or leave it out to get one.")
    return says % {"prefix": PREFIX, "least": SHORTEST_KEY, "most": LONGEST_KEY}


def rotate(endpoint: CallbackEndpoint, *, by: Actor, secret: str = "") -> str:
    """The given secret or a new one, returned this once. The present one stays valid beside it for HAND_OVER, if anybody has seen it."""
    with transaction.atomic():
        _read_again(endpoint)
        seen = endpoint.secret_shown
        endpoint.secret_before = endpoint.secret if seen else ""
        endpoint.secret_before_until = corrected_now() + HAND_OVER if seen else None
        endpoint.secret, endpoint.secret_shown = secret or new_secret(), True
        endpoint.save(update_fields=SECRETS)
        audit("callback_endpoint.secret_changed", endpoint, by=by)
    return endpoint.secret


def retire(endpoint: CallbackEndpoint, *, by: Actor) -> bool:
    """End the previous secret now; False where there is none."""
    with transaction.atomic():
        _read_again(endpoint)
        if endpoint.secret_before_until is None:
            return False
        endpoint.secret_before, endpoint.secret_before_until = "", None
        endpoint.save(update_fields=["secret_before", "secret_before_until"])
        audit("callback_endpoint.secret_retired", endpoint, by=by)
    return True


def _read_again(endpoint: CallbackEndpoint) -> None:
    """Its secrets as they are now, locked: of two that change them at once the later one keeps what the earlier one made."""
    now = (
        CallbackEndpoint.objects.select_for_update(no_key=True, of=("self",))
        .only(*SECRETS)
        .get(pk=endpoint.pk)
    )
    for column in SECRETS:
        setattr(endpoint, column, getattr(now, column))
