"""Where DNS leads from a name: its CNAME records one after the other, then the addresses. No connection is made here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import dns.asyncresolver
import dns.exception
import dns.rdatatype
import dns.resolver

Trouble = Literal["", "no_name", "loop", "too_long", "servfail", "timeout"]
Ask = Callable[[str, str], Awaitable[list[str]]]
LONGEST = 8  # records one after the other; resolvers give up at about as many
PATIENCE = 3.0  # seconds for one question


class NoAnswer(Exception):
    """A question that was not answered with records or with none; `trouble` says how."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble: Trouble = trouble


@dataclass(frozen=True, slots=True)
class Trace:
    """`chain` are the names after the first, in order, without a dot at the end; `trouble` is what stopped it, at the chain's last."""

    host: str
    chain: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    trouble: Trouble = ""

    @property
    def last(self) -> str:
        """The name that has the addresses, or should have."""
        return self.chain[-1] if self.chain else self.host


async def follow(host: str, ask: Ask) -> Trace:
    """Follow a name. Never raises for what DNS answers."""
    chain: list[str] = []
    name = host
    try:
        while found := await ask(name, "CNAME"):
            name = found[0].rstrip(".").lower()
            if name in (host, *chain):
                return Trace(host, (*chain, name), trouble="loop")
            chain.append(name)
            if len(chain) > LONGEST:
                return Trace(host, tuple(chain), trouble="too_long")
        addresses = [*await ask(name, "A"), *await ask(name, "AAAA")]
    except NoAnswer as problem:
        return Trace(host, tuple(chain), trouble=problem.trouble)
    return Trace(host, tuple(chain), tuple(addresses))


def asking(resolver: dns.asyncresolver.Resolver) -> Ask:
    """Questions to this resolver; addresses of the name itself only, since `follow` takes the records one by one."""

    async def ask(name: str, kind: str) -> list[str]:
        try:
            answer = await resolver.resolve(
                name, kind, raise_on_no_answer=False, search=False, lifetime=PATIENCE
            )
        except dns.resolver.NXDOMAIN:
            raise NoAnswer("no_name") from None
        except dns.resolver.LifetimeTimeout:
            raise NoAnswer("timeout") from None
        except dns.exception.DNSException:
            # its servers fail, none takes the name, or the answer cannot be read
            raise NoAnswer("servfail") from None
        return [str(record) for record in answer] if answer.rrset is not None else []

    return ask
