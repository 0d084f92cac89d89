"""Examples of regions: where a request of a service goes, as the transport is told it, and the DNS record of a short-link
domain, as partners read it at `/api/v1/domains`."""

from dataclasses import dataclass

import httpx

from sms.models import Region, ShortLinkDomain
from tests.contract.asked import SMALLEST
from tests.contract.world import World
from tests.support.partners import ALL, a_key


@dataclass(frozen=True, slots=True)
class Host:
    """A service of the region, without a base URL of its own, and where it calls."""

    key: str
    host: str

    def shown(self) -> str:
        return f"{self.key} → `https://{self.host}`"

    def run(self, world: World) -> None:
        service = world.service(base_url="", region=Region.objects.get(key=self.key))
        assert world.ask(service, SMALLEST).status_code == 201
        called: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            called.append(str(request.url))
            return httpx.Response(201, json={"messageId": "m-1", "status": "queued"})

        world.dispatch(transport=httpx.MockTransport(answer))
        assert called == [f"https://{self.host}/v2/messages"], called


@dataclass(frozen=True, slots=True)
class Record:
    """A short-link domain of the region, and the DNS record to make for it."""

    region: str
    kind: str
    target: str

    def shown(self) -> str:
        return f"{self.region} → {self.kind} `{self.target}`"

    def run(self, world: World) -> None:
        service = world.service()
        region = Region.objects.get(name=self.region)
        ShortLinkDomain.objects.create(service=service, host="go.shop.example", region=region)
        key = a_key(service, scopes=list(ALL))
        listed = world.browser.get("/api/v1/domains", headers={"key": key}).json()
        found = next(one for one in listed["items"] if one["host"] == "go.shop.example")
        assert (found["dns_kind"], found["dns_target"]) == (self.kind, self.target), found
