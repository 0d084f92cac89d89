"""Where a notice leads."""

from django.urls import NoReverseMatch, reverse

from sms.models import Notice


def address_of(notice: Notice) -> str:
    """The page that it names; home where that page is none (any more)."""
    given = {"service": notice.service.slug if notice.service else None, "pk": notice.page_id}
    kwargs = {name: value for name, value in given.items() if value is not None}
    try:
        where = reverse(notice.page or "home", kwargs=kwargs)
    except NoReverseMatch:
        return reverse("services")
    return f"{where}#{notice.anchor}" if notice.anchor else where
