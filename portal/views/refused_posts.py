"""What was refused at the addresses of a service: taken in after a mistake, or deleted, for receipts and for incoming SMS."""

from typing import Any, Literal

from portal.views.button_base import Said
from portal.views.confirm_base import Confirmation, ConfirmView
from sms.inbound import refused
from sms.models import CameTo, PostKind

AT_ONCE = 20_000  # that one request takes in; more by pressing again, or by `manage.py take_in_refused`


class RefusedView(ConfirmView):
    """`?came_to=` is the kind of address, as a row of the page has it."""

    act = "configure"
    back, crumb = "receipts_page", "Receipts"
    kind = PostKind.RECEIPT
    came_to: CameTo | Literal[""]

    def over(self) -> Said | None:
        asked = self.request.GET.get("came_to", "")
        self.came_to = CameTo(asked) if asked in CameTo.values else ""
        kept = [row for row in refused.kept_of(self.service) if row.kind == self.kind]
        self.count = sum(row.count for row in kept if self.came_to in ("", row.came_to))
        return None if self.count else Said(f"No refused {self.kind.label} are kept any more.")

    @property
    def words(self) -> str:
        """How many of what: “12 receipts”."""
        where = f" at {CameTo(self.came_to).label}" if self.came_to else ""
        return f"{self.counted(self.count)}{where}"

    def counted(self, count: int) -> str:
        one = "receipt" if self.kind == PostKind.RECEIPT else self.kind.label
        return f"{count:,} refused {one if count == 1 else self.kind.label}"


class TakeInRefused(RefusedView):
    def confirmation(self) -> Confirmation:
        then = (
            "A message's state only moves forward, and what has come in another way counts once."
            if self.kind == PostKind.RECEIPT
            else "A STOP among them counts from when it came, unless the person has written something else since."
        )
        strangers = (
            "Anybody can post to an address that no service has, and a number that you send from is all they need to know. If you "
            "are not sure, delete them."
        )
        anybody = self.kind == PostKind.INBOUND and self.came_to == CameTo.UNKNOWN
        return Confirmation(
            f"Take in {self.words}?",
            strangers
            if anybody
            else "Their signature was missing or did not fit, or they came to an address that is not in use. So nothing shows that Webex "
            "Connect sent them. Take them in if you know the cause: a secret that was wrong or was changed, or an old address.",
            then,
            button="Take them in",
            danger=False,
        )

    def confirmed(self, form: Any) -> Said:
        taken = refused.take_in(self.service, kind=self.kind, by=self.by, came_to=self.came_to, most=AT_ONCE)
        left = f" Left: {taken.left:,}. Take them in too." if taken.left else ""
        return Said(
            f"Taken in: {self.counted(taken.posts)}. New among them: {taken.new:,}, the others were known.{left}"
            if taken.new < taken.posts
            else f"Taken in: {self.counted(taken.posts)}.{left}"
        )


class DeleteRefused(RefusedView):
    def confirmation(self) -> Confirmation:
        return Confirmation(
            f"Delete {self.words}?",
            "They cannot be taken in afterwards. Do this if Webex Connect did not send them, or to end the warning about them.",
            button="Delete them",
        )

    def confirmed(self, form: Any) -> Said:
        count = refused.delete(self.service, kind=self.kind, by=self.by, came_to=self.came_to)
        return Said(f"Deleted: {self.counted(count)}.")
