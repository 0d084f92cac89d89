"""What a sandbox answers to bodies on standard input, a line of base64 each; a line of answer each on standard output.

Run with another tree first on the path, it asks the sandbox of that tree; so it imports nothing else of the project.
"""

import base64
import sys

from sms.webex.sandbox import rules
from sms.webex.sandbox.refusals import SandboxRefused
from sms.webex.sandbox.settings import Settings


def answer(body: bytes, now: float, settings: Settings) -> str:
    """`201`, `201 7102` where it fails by a receipt, or the code and the field."""
    try:
        order, destinations = rules.read(body, settings, now)
    except SandboxRefused as refusal:
        return f"{refusal.code} {refusal.name}".strip()
    faults = {order.fault or one.fault for one in destinations} - {""}
    return " ".join(["201", *sorted(faults)])


if __name__ == "__main__":
    chosen, moment = Settings(), float(sys.argv[1])
    for line in sys.stdin:
        print(answer(base64.b64decode(line), moment, chosen))
