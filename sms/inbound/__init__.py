"""What comes in from the provider: receipts, clicks and messages of recipients."""
