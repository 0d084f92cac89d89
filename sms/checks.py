"""System checks of the domain, run at every start: combinations that are legal one by one and wrong together."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.compatibility)
def queue_retry_outlasts_its_tasks(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """django-q2 starts a task a second time when `retry` runs out while it waits or works."""
    del app_configs, kwargs
    queue: dict[str, Any] = settings.Q_CLUSTER
    longest = queue["timeout"] * (1 + queue["queue_limit"] / queue["workers"])
    if queue["retry"] > longest:
        return []
    return [
        Error(
            f"Q_CLUSTER retry is {queue['retry']} s; it should be more than {longest:.0f} s.", id="sms.E001"
        )
    ]
