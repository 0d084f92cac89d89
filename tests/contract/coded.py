"""Examples of the provider's codes: each as a reply of 400, and in a receipt."""

from dataclasses import dataclass

from sms.webex.codes import CODES, PAUSING, THROTTLING
from tests.contract.replied import Raw, Replied
from tests.contract.reported import Reported
from tests.contract.world import World

STATUS = {"submitted": "Submitted", "delivered": "Delivered", "failed": "Un-Delivered", "clicked": "Clicked"}


@dataclass(frozen=True, slots=True)
class AsReply:
    code: str

    def shown(self) -> str:
        return f"as a reply: {self._outcome()}"

    def run(self, world: World) -> None:
        Replied(Raw(400, {"code": self.code, "message": "Words"}), self._outcome()).run(world)

    def _outcome(self) -> str:
        if self.code in PAUSING:
            return f"waits ({self.code}), and the service is paused"
        return f"waits ({self.code})" if self.code in THROTTLING else f"failed ({self.code})"


@dataclass(frozen=True, slots=True)
class AsReceipt:
    code: str

    def shown(self) -> str:
        return f"as a receipt: {self._state()}"

    def run(self, world: World) -> None:
        state = CODES[self.code].state
        info = {"code": self.code, "deliveryStatus": STATUS.get(state, "Pondering")}
        Reported(info, becomes={"state": self._state()}).run(world)

    def _state(self) -> str:
        """A link is opened where the message arrived; a code that says nothing of the state leaves it as it is."""
        state = CODES[self.code].state
        return {"clicked": "delivered", "unknown": "queued"}.get(state, state)
