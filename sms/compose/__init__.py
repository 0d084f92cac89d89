"""Compose: from what a person or a program asks for to a committed send. `create.create` is the only way to make one.

    order          what is asked for                options       what it asks of the provider beyond text and numbers
    resolved_order what follows from it, once       placeholders  what fills them         links, reach   whether they work
    checks         what is wrong with it            lines         its rows as messages    survey         the figures of all rows
    create         the send: small ones with all their messages in one transaction, large ones PREPARING
    background     the work on large audiences      drafts        from a draft to an order
    approval       who must approve it              preview       what the compose page shows
    test_sends     a draft sent to oneself or a seed list

Called by the compose page, the admin's form, the API and `manage.py send`. Nothing here talks to the provider.
"""
