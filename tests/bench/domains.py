"""Checks of short-link domains: 50 at once, among them ten whose name servers never answer, beside one alone.

`python -m tests.bench.domains [--domains 50]` prints one JSON line. Name server and web server are real, on loopback.
"""

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path


def main() -> None:
    """On a SQLite database of its own."""
    line = argparse.ArgumentParser()
    line.add_argument("--domains", type=int, default=50)
    line.add_argument("--only", choices=("sqlite", "postgresql"), help="the database hardly matters: SQLite")
    options = line.parse_args()
    if options.only == "postgresql":
        return
    from tests import environment

    environment.isolate()
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    print(json.dumps(measured(options.domains)), flush=True)


def measured(count: int) -> dict[str, object]:
    """Seconds for all, and for one."""
    from sms.catalogue.domains import check_due
    from sms.catalogue.domains.check import PATIENCE, NetworkAccess
    from sms.catalogue.domains.trace import asking
    from sms.models import ShortLinkDomain
    from tests.support.internet import Authority, listening, name_server, opener
    from tests.support.sends import a_service

    service = a_service()
    star = service.region.cname
    hosts = [f"d{number}.shop.example" for number in range(count)]
    records: dict = {(star, "A"): ["127.0.0.1"], (service.region.host, "A"): ["127.0.0.1"]}
    records |= {(host, "CNAME"): [f"{star}."] for host in hosts}
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        with (
            name_server(records) as resolver,
            listening(
                b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", authority.server("*.shop.example")
            ) as port,
        ):
            asked = asking(resolver)

            async def ask(name: str, kind: str) -> list[str]:
                if name in hosts[::5]:
                    await asyncio.sleep(600)
                return await asked(name, kind)

            def look(names: list[str]) -> float:
                ShortLinkDomain.objects.all().delete()
                ShortLinkDomain.objects.bulk_create(
                    ShortLinkDomain(service=service, region=service.region, host=host) for host in names
                )
                eyes = NetworkAccess(ask, opener(port), authority.trust, loopback=True)
                started = time.perf_counter()
                assert check_due(eyes=eyes) == len(names)
                return time.perf_counter() - started

            one, everything = look(hosts[1:2]), look(hosts)
            states = sorted(service.link_domains.values_list("state", flat=True))
    return {
        "bench": "domains",
        "domains": count,
        "never_answering": len(hosts[::5]),
        "seconds": round(everything, 2),
        "goal_seconds": 15,
        "one_healthy_seconds": round(one, 3),
        "boxed_at_seconds": PATIENCE,
        "states": {state: states.count(state) for state in sorted(set(states))},
    }


if __name__ == "__main__":
    main()
