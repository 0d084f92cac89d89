"""Another time for a send."""

from django import forms

from portal.forms.local_time import LocalTimeField


class MoveForm(forms.Form):
    """When it shall go out. Whether it still can be moved is `sms.sends.control`'s to say."""

    send_at = LocalTimeField(
        label="New time", error_messages={"required": "Give the day and time, or choose “Send it now”."}
    )
