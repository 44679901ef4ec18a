"""Which product a registry is, as far as its address and its first answer say so. Pure functions."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from regui.oci.headers import Challenge

DISTRIBUTION_2, DISTRIBUTION_3, ZOT = "distribution 2", "distribution 3", "zot"
HARBOR, GITLAB, QUAY = "Harbor", "GitLab", "Quay"
ACR, ECR, GHCR, HUB = "Azure", "Amazon ECR", "GitHub", "Docker Hub"
# Hosts that belong to one vendor.
HOSTS = {
    r"(.+\.)?azurecr\.(io|cn|us)": ACR,
    r".+\.dkr\.ecr(-fips)?\..+\.amazonaws\.com(\.cn)?|public\.ecr\.aws": ECR,
    r"ghcr\.io": GHCR,
    r"(registry-1\.|index\.)?docker\.io": HUB,
    r"quay\.io": QUAY,
    r"registry\.gitlab\.com": GITLAB,
}
# What the challenge of a sign-in says of who issued it: a service, or the end of the realm's address.
SERVICES = {"harbor-registry": HARBOR, "container_registry": GITLAB, "ecr.amazonaws.com": ECR}
REALMS = {"/service/token": HARBOR, "/jwt/auth": GITLAB, "/v2/auth": QUAY}
GITLAB_VERSION = "Gitlab-Container-Registry-Version"


@dataclass(frozen=True)
class Greeting:
    """What the base of the API answers a stranger: `skew` is how many seconds its clock is ahead of ours,
    None when it tells no time."""

    status: int
    headers: Mapping[str, str]
    challenges: tuple[Challenge, ...] = ()
    skew: float | None = None

    @property
    def said(self) -> str:
        """The answer in short: the evidence of whatever is read off it."""
        return f"GET /v2/ without a sign-in: {self.status}"


def named(host: str, greeting: Greeting) -> tuple[str, str, str] | None:
    """The product, its version where it gives one, and what says so; None when that takes more questions."""
    return by_host(host) or by_headers(greeting) or by_challenge(greeting)


def by_host(host: str) -> tuple[str, str, str] | None:
    found = first(HOSTS, lambda pattern: bool(re.fullmatch(pattern, host.lower())))
    return (found, "", f"The host {host} is its vendor's") if found else None


def by_headers(greeting: Greeting) -> tuple[str, str, str] | None:
    version = greeting.headers.get(GITLAB_VERSION, "")[:40]
    return (GITLAB, version, f"{greeting.said}, {GITLAB_VERSION}: {version}") if version else None


def by_challenge(greeting: Greeting) -> tuple[str, str, str] | None:
    for challenge in greeting.challenges:
        service, realm = challenge.get("service"), challenge.get("realm")
        path = realm.partition("?")[0]
        if name := SERVICES.get(service):
            return name, "", f"{greeting.said}, service {service}"
        if name := first(REALMS, path.endswith):
            return name, "", f"{greeting.said}, realm {realm[:100]}"
    return None


def first(table: Mapping[str, str], fits: Callable[[str], bool]) -> str:
    """The value of the first key that fits; empty when none does."""
    return next((value for key, value in table.items() if fits(key)), "")
