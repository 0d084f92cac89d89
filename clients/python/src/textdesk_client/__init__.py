"""Textdesk's partner API: typed calls, repeats that are safe, waiting for the end of a send, events, and the signatures of callbacks."""

from textdesk_client.desk import NotSettled, Textdesk
from textdesk_client.events import Event, NotGenuine, verify
from textdesk_client.refusals import FieldError, Refused

__all__ = ["Event", "FieldError", "NotGenuine", "NotSettled", "Refused", "Textdesk", "verify"]
