"""The simulator: the provider of test keys. It answers as the sandbox does, in this process, and its receipts come in like any other.

`client` is what dispatch posts to instead of Webex Connect, `receipts` hands over what is due. What it has taken and what it owes is in
the database, so a process may die at any moment.
"""

from sms.simulator.client import SimulatedConnection, client_of, connection_of
from sms.simulator.receipts import anything_due, hand_over
