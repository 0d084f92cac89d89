"""A small Webex Connect sandbox: it takes SMS at ``POST /v2/messages`` and sends real receipts back."""
