"""Webex Connect's Send Message API v2 for SMS, seen from the client: pure, no Django, imports nothing of ours.

Modules: `send_request` (its structs), `rules` (what may be in it), `wire` (requests out), `inlet` (requests in), `replies`, `client`,
`auth`, `errors`, `codes`, `receipts`, `inbound`, `signature`, `regions`. `sandbox/` is the other side, written independently: neither
imports the other.
"""

VERSION = "0.1.0"  # of the distribution; named in our User-Agent, and a test holds it against pyproject.toml
