"""Subjects of mails, made of what people wrote."""

from sms.values.msisdn.mention import masked


def one_line(subject: str) -> str:
    """Without line breaks, which would end the header and the mail with it, and without whole numbers."""
    return masked(" ".join(subject.split()))
