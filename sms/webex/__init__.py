"""Webex Connect's Send Message API v2 for SMS, seen from the client: pure, no Django, imports nothing of ours.

Modules: `send_request` (its structs), `rules` (what may be in it), `limits`, `wire` (encodes it), `replies`, `client`, `auth`, `errors`,
`codes`, `receipts`, `inbound`, `signature`. `sandbox/` is the other side, written independently: neither imports the other, and `simulated`
lets both meet in one process. Requests that partners write are read by `sms.api.drop_in`.
"""

HOP = "X-Textdesk-Hop"  # on all that we post: what a Textdesk posted is taken by none, so that nothing goes round in circles
