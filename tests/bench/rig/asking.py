"""Somebody who asks for pages through the application, without a network, and what each costs. Django is set up when it is called."""

import gzip
import time
from collections.abc import Callable
from typing import Any

TIMES = 40


def signed_in(shop: Any, *roles: str) -> Any:
    """A client of a person with these roles in the service."""
    from django.conf import settings
    from django.test import Client

    from portal.models import Membership, User

    # as a desk that runs from its checkout: files of the pages are not collected here
    plain = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    settings.STORAGES = settings.STORAGES | plain
    person, _ = User.objects.get_or_create(email="bench@example.test")
    for role in roles:
        Membership.objects.get_or_create(user=person, service=shop, role=role)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(person)
    return client


def cost(ask: Callable[[int], Any]) -> dict[str, object]:
    """Of a page that `ask` gets, each turn perhaps another one: milliseconds, queries, and kilobytes as a browser gets them."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from portal.costly_pages import CostlyPages

    ask(TIMES)  # warm: templates
    with CaptureQueriesContext(connection) as captured:
        ask(TIMES + 1)
    queries, took, size = len(captured), [], 0  # the next request forgets them
    cpu = time.process_time()
    for turn in range(TIMES):
        CostlyPages.forget()
        began = time.perf_counter()
        answer = ask(turn)
        took.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.content[:500]
        size = max(size, len(gzip.compress(answer.content)))
    cpu = (time.process_time() - cpu) * 1000 / TIMES
    took.sort()
    return {
        "p50_ms": round(took[TIMES // 2], 1),
        "p95_ms": round(took[int(TIMES * 0.95)], 1),
        "cpu_ms": round(
            cpu, 1
        ),  # of the application; what stands beside is more where the machine has other work
        "queries": queries,
        "kb": round(size / 1000, 1),
    }
