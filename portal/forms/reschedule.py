"""Another time for a send."""

from django import forms

from portal.forms.local_time import LocalTimeField


class MoveForm(forms.Form):
    """`sms.sends.control` decides whether it can still be moved."""

    send_at = LocalTimeField(
        label="New time", error_messages={"required": "Give the day and time, or choose “Send it now”."}
    )
