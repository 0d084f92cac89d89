"""A person, as a service knows one: everything to and from one number.

    identity   the number in all its spellings, and what names it in addresses
    timeline   what happened, newest first, a page at a time

Called by the person's page.
"""
