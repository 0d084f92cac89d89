"""What colleagues say about a draft or a send, and asking one of them to look.

    write     a comment: added, edited, withdrawn, and what becomes of it with its draft
    asking    who is asked to look, and when they have
    mentions  the people whom a text names with @

Called by pages. Nothing here is part of what is sent or approved.
"""

from sms.compose.comments.asking import say_looked, waiting_for
from sms.compose.comments.write import (
    LONGEST,
    MOST,
    CommentError,
    add,
    edit,
    keep_without_draft,
    of_draft,
    of_send,
    to_send,
    withdraw,
)
