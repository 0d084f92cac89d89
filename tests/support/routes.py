"""Every address of the product, for tests that must not forget one."""

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver


def patterns(node=None, prefix: str = "", namespace: str = "") -> Iterator[tuple[str, str, URLPattern]]:
    """(path with converters, qualified name, pattern) of every address."""
    for entry in (node or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, path, f"{entry.namespace}:" if entry.namespace else namespace)
        else:
            yield path, f"{namespace}{entry.name}", entry
