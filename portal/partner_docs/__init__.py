"""The documentation of the partner API at `/api/docs/`: `docs/partners/*.md`, drawn for the reader who asks.

Called by `portal.views.partner_docs`.
"""
