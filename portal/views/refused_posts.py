"""What was refused at the addresses of a service: taken in after a mistake, or deleted, for receipts and for incoming SMS."""

from typing import Any, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.views.button_base import Said
from portal.views.confirm_base import Confirmation, ConfirmView
from sms.inbound import refused
from sms.models import CameTo, PostKind
from sms.words import number

AT_ONCE = 20_000  # that one request takes in; more by pressing again, or by `manage.py take_in_refused`


class RefusedView(ConfirmView):
    """`?came_to=` is the kind of address, as a row of the page has it."""

    act = "configure"
    back, crumb = "receipts_page", gettext_lazy("Receipts")
    kind = PostKind.RECEIPT
    came_to: CameTo | Literal[""]

    def over(self) -> Said | None:
        asked = self.request.GET.get("came_to", "")
        self.came_to = CameTo(asked) if asked in CameTo.values else ""
        kept = [row for row in refused.kept_of(self.service) if row.kind == self.kind]
        self.count = sum(row.count for row in kept if self.came_to in ("", row.came_to))
        if self.count:
            return None
        return Said(
            _("No refused receipts are kept any more.")
            if self.kind == PostKind.RECEIPT
            else _("No refused incoming SMS are kept any more.")
        )

    @property
    def words(self) -> str:
        """How many of what: “12 refused receipts at the address in messages”."""
        if not self.came_to:
            return self.counted(self.count)
        facts = {"refused": self.counted(self.count), "address": CameTo(self.came_to).label}
        # Translators: “12 refused receipts at the address in messages”.
        return _("%(refused)s at %(address)s") % facts

    def counted(self, count: int) -> str:
        says = (
            ngettext("%(n)s refused receipt", "%(n)s refused receipts", count)
            if self.kind == PostKind.RECEIPT
            else ngettext("%(n)s refused incoming SMS", "%(n)s refused incoming SMS", count)
        )
        return says % {"n": number(count)}


class TakeInRefused(RefusedView):
    def confirmation(self) -> Confirmation:
        then = (
            _("A message's state only moves forward, and what has come in another way counts once.")
            if self.kind == PostKind.RECEIPT
            else _(
                "A STOP among them counts from when it came, unless the person has written something else since."
            )
        )
        strangers = _(
            "Anybody can post to an address that no service has, and a number that you send from is all they need to know. If you "
            "are not sure, delete them."
        )
        anybody = self.kind == PostKind.INBOUND and self.came_to == CameTo.UNKNOWN
        return Confirmation(
            _("Take in %(refused)s?") % {"refused": self.words},
            strangers
            if anybody
            else _(
                "Their signature was missing or did not fit, or they came to an address that is not in use. So nothing shows that Webex "
                "Connect sent them. Take them in if you know the cause: a secret that was wrong or was changed, or an old address."
            ),
            then,
            button=_("Take them in"),
            danger=False,
        )

    def confirmed(self, form: Any) -> Said:
        taken = refused.take_in(self.service, kind=self.kind, by=self.by, came_to=self.came_to, most=AT_ONCE)
        says = [_("Taken in: %(refused)s.") % {"refused": self.counted(taken.posts)}]
        if taken.new < taken.posts:
            says.append(_("New among them: %(count)s, the others were known.") % {"count": number(taken.new)})
        if taken.left:
            says.append(_("Left: %(count)s. Take them in too.") % {"count": number(taken.left)})
        return Said(" ".join(says))


class DeleteRefused(RefusedView):
    def confirmation(self) -> Confirmation:
        return Confirmation(
            _("Delete %(refused)s?") % {"refused": self.words},
            _(
                "They cannot be taken in afterwards. Do this if Webex Connect did not send them, or to end the warning about them."
            ),
            button=_("Delete them"),
        )

    def confirmed(self, form: Any) -> Said:
        count = refused.delete(self.service, kind=self.kind, by=self.by, came_to=self.came_to)
        return Said(_("Deleted: %(refused)s.") % {"refused": self.counted(count)})
