"""Spans: how long one piece of work took, as part of which other, told to what traces (`portal.tracing`). Where nothing does, opening one
does nothing.

What is said of a span are ids, counts and words of our own, never a number of a person, a text, a key or an address.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, ParamSpec, Protocol, Self, TypeVar

Said = bool | int | float | str | Sequence[int]
P = ParamSpec("P")
T = TypeVar("T")


class OpenSpan(Protocol):
    """One that is open."""

    def say(self, **said: Said) -> None: ...

    def rename(self, name: str) -> None: ...

    def forget(self) -> None:
        """Nothing came of it, so it is not worth telling."""


class Tracer(Protocol):
    def open(self, name: str, within: Any, said: dict[str, Said]) -> AbstractContextManager[OpenSpan]: ...

    def here(self) -> Any: ...


class _Untold:
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def say(self, **_said: Said) -> None:
        pass

    def rename(self, name: str) -> None:
        pass

    def forget(self) -> None:
        pass


_UNTOLD = _Untold()


class Spans:
    """Of this process; `portal.tracing` sets the tracer."""

    tracer: Tracer | None = None

    def open(self, name: str, *, within: Any = None, **said: Said) -> AbstractContextManager[OpenSpan]:
        """`within` is what `here` gave in another thread; otherwise it is part of the one that is open in this thread."""
        return _UNTOLD if self.tracer is None else self.tracer.open(name, within, said)

    def around(
        self, name: str, saying: Callable[..., Mapping[str, Said]]
    ) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """A span of each call, with what is to be said of its result and its positional arguments; none where that is nothing."""

        def decorate(function: Callable[P, T]) -> Callable[P, T]:
            @wraps(function)
            def call(*args: P.args, **kwargs: P.kwargs) -> T:
                if self.tracer is None:
                    return function(*args, **kwargs)
                with self.open(name) as span:
                    result = function(*args, **kwargs)
                    if said := saying(result, *args):
                        span.say(**said)
                    else:
                        span.forget()
                    return result

            return call

        return decorate

    def here(self) -> Any:
        return None if self.tracer is None else self.tracer.here()


spans = Spans()
