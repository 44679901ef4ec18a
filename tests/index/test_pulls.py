"""Which requests are a pull, for the ways in which clients ask."""

from datetime import timedelta

import pytest

from regui import oci
from regui.index import pulls
from regui.index.models import Event, PullCount
from regui.index.pulls import Recent
from tests.factories import NOW, digest

INDEX, CHILD, OTHER = digest("index"), digest("child"), digest("other")
PARENTS: dict[str, set[str]] = {INDEX: set(), CHILD: {INDEX}, OTHER: set()}


def ask(
    method: str,
    on: oci.Digest,
    *,
    tag: str = "",
    at: float = 0,
    who: str = "",
    address: str = "192.0.2.7",
    repository: str = "team/app",
) -> Event:
    moment = NOW + timedelta(seconds=at)
    return Event(
        action="pull",
        repository=repository,
        tag=tag,
        digest=on,
        media_type=oci.OCI_INDEX if on == INDEX else oci.OCI_MANIFEST,
        at=moment,
        received_at=moment,
        actor=who,
        address=address,
        method=method,
    )


def counted(*asked: Event, parents: dict[str, set[str]] | None = None) -> list[tuple[str, str]]:
    """Tag and digest of the pulls that these requests are."""
    recent = Recent()
    taken = [recent.take(one, PARENTS if parents is None else parents) for one in asked]
    return [(pull.tag, pull.digest) for pull in taken if pull]


def docker(at: float = 0, **more: str) -> list[Event]:
    return [
        ask("HEAD", INDEX, tag="latest", at=at, **more),
        ask("GET", INDEX, at=at + 0.1, **more),
        ask("GET", CHILD, at=at + 0.2, **more),
    ]


def test_docker_pulls_once() -> None:
    assert counted(*docker()) == [("latest", INDEX)]


def test_docker_pulls_once_while_the_index_is_unknown() -> None:
    assert counted(*docker(), parents={}) == [("latest", INDEX)]


def test_skopeo_and_podman_pull_once() -> None:
    assert counted(ask("GET", INDEX, tag="latest"), ask("GET", CHILD, at=0.1)) == [("latest", INDEX)]


def test_a_pull_across_midnight_of_the_minute_is_one() -> None:
    assert counted(*docker(at=59.95)) == [("latest", INDEX)]


def test_a_pull_by_digest_has_no_tag() -> None:
    assert counted(ask("GET", INDEX), ask("GET", CHILD, at=0.1)) == [("", INDEX)]


def test_a_platform_pulled_by_its_own_digest_counts() -> None:
    assert counted(ask("GET", CHILD)) == [("", CHILD)]


def test_looking_is_no_pull() -> None:
    """As renovate, watchtower and `crane digest` do every few minutes."""
    assert counted(*(ask("HEAD", INDEX, tag="latest", at=300 * n) for n in range(5))) == []


def test_again_within_a_minute_is_the_same_pull() -> None:
    assert counted(*docker(), *docker(at=30)) == [("latest", INDEX)]
    assert counted(*docker(), *docker(at=61)) == [("latest", INDEX)] * 2


def test_clients_are_told_apart_by_actor_or_address() -> None:
    assert len(counted(*docker(), *docker(address="192.0.2.8"))) == 2
    assert len(counted(*docker(who="alice"), *docker(who="alice", address="192.0.2.8"))) == 1
    assert len(counted(*docker(who="alice"), *docker(who="bob"))) == 2


def test_other_images_and_repositories_are_other_pulls() -> None:
    assert counted(*docker(), ask("GET", OTHER, at=1)) == [("latest", INDEX), ("", OTHER)]
    assert len(counted(*docker(), *docker(repository="team/web"))) == 2


def test_a_tag_asked_for_long_ago_names_nothing() -> None:
    assert counted(ask("HEAD", INDEX, tag="latest"), ask("GET", INDEX, at=120)) == [("", INDEX)]


def test_what_is_old_is_forgotten() -> None:
    recent = Recent()
    for number in range(500):
        recent.take(ask("GET", digest(str(number)), at=number, address=str(number)), {})
    assert len(recent.asked) < 130
    assert len(recent.counted) < 130


def test_a_client_without_any_name_is_one_too() -> None:
    assert len(counted(*docker(address=""), *docker(address=""))) == 1


@pytest.mark.django_db
def test_pulls_are_added_up_by_day() -> None:
    one = pulls.Pull("team/app", "latest", INDEX, NOW)
    by_digest = pulls.Pull("team/app", "", INDEX, NOW)
    tomorrow = pulls.Pull("team/app", "latest", INDEX, NOW + timedelta(days=1))
    pulls.count("main", [one, one, by_digest])
    pulls.count("main", [one, tomorrow])
    rows = PullCount.objects.order_by("tag", "day").values_list("tag", "count")
    assert list(rows) == [("", 1), ("latest", 3), ("latest", 1)]
