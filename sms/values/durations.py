"""How long something has lasted, for sentences."""

from sms.words import gettext, ngettext


def duration(seconds: float) -> str:
    """`95` → `95 s`, `240` → `4 min`, `9000` → `2 hours`."""
    if seconds < 120:
        return gettext("%(n)s s") % {"n": f"{seconds:.0f}"}
    if seconds < 7200:
        return gettext("%(n)s min") % {"n": f"{seconds / 60:.0f}"}
    hours = round(seconds / 3600)
    return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
