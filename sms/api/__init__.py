"""DRF endpoints for partner systems and for Webex Connect."""
