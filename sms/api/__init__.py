"""The machine doors: DRF endpoints for Webex Connect and for partner systems."""
