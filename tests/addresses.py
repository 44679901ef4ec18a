"""Every address of a URL configuration, with something in the place of what varies."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import IntConverter

API = "regui.api.v1.urls"
# What may stand in an address, by what it is called there. A new name asks for one more.
SAMPLES: Mapping[str, str] = {
    "registry": "main",
    "name": "team/app",
    "tag": "1.0",
    "digest": "sha256:" + "0" * 64,
    "pk": "0123456789012345",
    "secret": "a:b",
    "number": "1",
    "token": "a-b",
    "policy": "releases",
    "run": "0123456789012345",
    "source": "prod",
}


def patterns(
    resolver: URLResolver, around: Mapping[str, bool] = MappingProxyType({})
) -> Iterator[tuple[URLPattern, Mapping[str, bool]]]:
    """Yield each address's pattern with the names of what varies in it, and whether that is a number."""
    for entry in resolver.url_patterns:
        kinds = entry.pattern.converters
        numbers = {name: isinstance(kinds.get(name), IntConverter) for name in entry.pattern.regex.groupindex}
        parts = {**around, **numbers}
        if isinstance(entry, URLResolver):
            yield from patterns(entry, parts)
        else:
            yield entry, parts


def addresses(configuration: str | None = None, **chosen: str) -> dict[str, str]:
    """Every address that has a name, by it, of the site or of the API; `chosen` stands for some samples."""
    namespace, found, samples = "v1:" if configuration else "", dict[str, str](), {**SAMPLES, **chosen}
    for pattern, parts in patterns(get_resolver(configuration)):
        if pattern.name:
            given = {name: "1" if number else samples[name] for name, number in parts.items()}
            found[pattern.name] = reverse(f"{namespace}{pattern.name}", configuration, kwargs=given)
    return found


def nameless() -> set[str]:
    """The site's addresses that have no name."""
    return {str(pattern.pattern) for pattern, _ in patterns(get_resolver()) if not pattern.name}
