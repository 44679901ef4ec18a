"""What queries let through, against rows."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from regui.index import search
from regui.index.models import Registry, Repository, Revision, Tag
from regui.index.search import find, trigrams
from tests import factories

pytestmark = pytest.mark.django_db
NOW = factories.NOW
MB = 1_000_000


@pytest.fixture
def shelf() -> Repository:
    """A repository with all sorts of tags."""
    shelf = factories.repository(
        "team/app", size=600 * MB, platforms=["linux/amd64", "linux/arm64"], kind="image"
    )
    old = factories.manifest(
        shelf,
        "old",
        layers={"base": 300 * MB},
        created_at=NOW - timedelta(days=100),
        labels={"maintainer": "ana"},
    )
    new = factories.manifest(
        shelf, "new", layers={"base": 300 * MB, "top": 5 * MB}, labels={"a.b": "1", 'odd"key': "x"}
    )
    arm = factories.manifest(
        shelf, "arm", layers={"arm layer": 7 * MB}, platform="linux/arm/v7", platforms=["linux/arm/v7"]
    )
    both = factories.index(shelf, [new, arm], "both")
    signature = factories.manifest(
        shelf,
        "signature",
        layers={"s": 1},
        subject=old.digest,
        artifact_type="application/vnd.dev.cosign.simplesigning.v1+json",
    )
    factories.manifest(shelf, "loose", layers={"loose layer": 9 * MB})
    factories.tag(shelf, "v1.0", old, pulled_at=NOW - timedelta(days=3))
    factories.tag(shelf, "v1.1-rc", new)
    factories.tag(shelf, "V2", arm)
    factories.tag(shelf, "under_score", both)
    factories.tag(shelf, "latest", both, pulled_at=NOW - timedelta(days=60))
    factories.tag(shelf, f"{both.digest.replace(':', '-')}.sig", signature)
    factories.tag(shelf, "unread")
    return shelf


def named(rows: QuerySet[Tag] | QuerySet[Repository]) -> set[str]:
    return {row.name for row in rows}


ALL = {"v1.0", "v1.1-rc", "V2", "under_score", "latest", "unread"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ALL),
        ("v", {"v1.0", "v1.1-rc", "V2"}),
        ("V1", {"v1.0", "v1.1-rc"}),
        ("v1.*", {"v1.0", "v1.1-rc"}),
        ("v?", {"V2"}),
        ("*", ALL),
        ("**", ALL),
        ("1 rc", {"v1.1-rc"}),
        ('"1.1-rc"', {"v1.1-rc"}),
        ('"v?"', set()),
        ("v -rc", {"v1.0", "V2"}),
        ("-v", {"under_score", "latest", "unread"}),
        ("r_s", {"under_score"}),
        ("*r_s*", {"under_score"}),
        ("late_t", set()),
        ("late_t*", set()),
        ("%", set()),
        ("*%*", set()),
        ("\\", set()),
        ("\\*", set()),
        ("'; --", set()),
        ("a\0b", set()),
        ("tag:v1", {"v1.0", "v1.1-rc"}),
        ("repo:team", ALL),
        ("repo:other", set()),
        ("app:v1", {"v1.0", "v1.1-rc"}),
        ("team/app:late", {"latest"}),
        ("localhost:5000/team/app:late", {"latest"}),
        ("registry.example.com/team/app:V2", {"V2"}),
        ("other:v1", set()),
        ("team/*:v1.*", {"v1.0", "v1.1-rc"}),
        ("platform:arm64", set()),
        ("platform:arm", {"V2", "under_score", "latest"}),
        ("platform:arm/v7", {"V2", "under_score", "latest"}),
        ("platform:linux/amd64", {"v1.0", "v1.1-rc", "under_score", "latest"}),
        ("platform:linux/a", set()),
        ("platform:v7 -platform:amd64", {"V2"}),
        ("type:index", {"under_score", "latest"}),
        ("-type:index -tag:unread", {"v1.0", "v1.1-rc", "V2"}),
        ("size:>302MB", {"v1.1-rc", "under_score", "latest"}),
        ("size:<=7MB", {"V2"}),
        ("created:<90d tag:v1", {"v1.1-rc"}),
        ("created:>90d", {"v1.0"}),
        ("created:<2026-06-01", {"v1.0"}),
        ("created:>2026-07-31", {"v1.1-rc", "V2", "under_score", "latest"}),
        ("created:>2026-08-01", set()),
        ("created:>=2026-08-01", {"v1.1-rc", "V2", "under_score", "latest"}),
        ("created:<=2026-08-01", ALL - {"unread"}),
        ("created:<2026-08-01", {"v1.0"}),
        ("created:<=9999-12-31", ALL - {"unread"}),
        ("-created:<90d", {"v1.0", "unread"}),
        ("-size:>7MB", {"V2", "unread"}),
        ("-label:a.b", ALL - {"v1.1-rc"}),
        ("-label:maintainer=ana", ALL - {"v1.0"}),
        ("-platform:amd64", {"V2", "unread"}),
        ("-pulled:yes", ALL - {"v1.0", "latest"}),
        ("-signed:no", {"v1.0", "under_score", "latest"}),
        ("-untagged:no", set()),
        ("size:>=7MB size:<=7MB", {"V2"}),
        ("label:maintainer", {"v1.0"}),
        ("label:maintainer=ana", {"v1.0"}),
        ("label:maintainer=an", set()),
        ("label:a.b=1", {"v1.1-rc"}),
        ("label:a", set()),
        ('label:odd"key', set()),
        ("pulled:yes", {"v1.0", "latest"}),
        ("pulled:no", {"v1.1-rc", "V2", "under_score", "unread"}),
        ("pulled:<30d", {"v1.0"}),
        ("pulled:>30d", {"latest"}),
        ("signed:yes", {"v1.0", "under_score", "latest"}),
        ("signed:no", {"v1.1-rc", "V2", "unread"}),
        ("untagged:yes", set()),
        ("untagged:no", ALL),
    ],
)
def test_tags(shelf: Repository, text: str, names: set[str]) -> None:
    assert named(search.tags(shelf.tags.visible(), search.parse(text), NOW)) == names


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("old", {"v1.0"}),
        ("new", {"v1.1-rc", "under_score", "latest"}),
        ("both", {"under_score", "latest"}),
        ("base", {"v1.0", "v1.1-rc", "under_score", "latest"}),
        ("arm layer", {"V2", "under_score", "latest"}),
        ("loose layer", set()),
    ],
)
def test_tags_by_any_digest_they_lead_to(shelf: Repository, name: str, names: set[str]) -> None:
    digest = factories.digest(name)
    for text in (digest, digest.upper().replace("SHA", "sha"), digest[:20], f"digest:{digest[7:15]}"):
        assert named(search.tags(shelf.tags.visible(), search.parse(text), NOW)) == names
        assert named(search.repositories(Repository.objects.all(), search.parse(text), NOW)) == (
            {"team/app"} if names else set()
        )


def test_bare_digits_are_also_a_digests_beginning(shelf: Repository) -> None:
    assert "v1.0" in named(
        search.tags(shelf.tags.visible(), search.parse(factories.digest("old")[7:20]), NOW)
    )


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("APP", {"team/app", "other/app"}),
        ("team/*", {"team/app", "team/web"}),
        ("app team", {"team/app"}),
        ("-app", {"team/web"}),
        ("repo:web", {"team/web"}),
        ("tag:late", {"team/app"}),
        ("tag:v1.* platform:amd64", {"team/app"}),
        ("tag:V2 pulled:yes", set()),
        ("-tag:late repo:team/app", {"team/app"}),
        ("app:late", {"team/app"}),
        ("size:>500MB", {"team/app"}),
        ("platform:arm64", {"team/app"}),
        ("type:image", {"team/app"}),
        ("label:maintainer=ana", {"team/app"}),
        ("signed:yes", {"team/app"}),
        ("pulled:<30d", {"team/app"}),
        ("untagged:yes", {"team/app"}),
        ("untagged:no", {"team/web", "other/app"}),
    ],
)
def test_repositories(shelf: Repository, text: str, names: set[str]) -> None:
    factories.tags(factories.repository("team/web"), ["v0"])
    factories.repository("other/app")

    assert named(search.repositories(Repository.objects.all(), search.parse(text), NOW)) == names


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("late", ["latest"]),
        ("v1", ["v1.0", "v1.1-rc"]),
        ("V2", ["V2"]),
        ("v", ["V2", "v1.0", "v1.1-rc"]),
        ("team", []),
        ("team late", ["latest"]),
        ("late team", ["latest"]),
        ("v1 rc", ["v1.1-rc"]),
        ("app v1 -rc", ["v1.0"]),
        ("v1.*", ["v1.0", "v1.1-rc"]),
        ("*-rc", ["v1.1-rc"]),
        ("*a*s*", ["latest"]),
        ("app:v1", ["v1.0", "v1.1-rc"]),
        ("tag:1.0 team", ["v1.0"]),
        ("repo:app size:<=7MB", ["V2"]),
        ("nothing", []),
        ('"^v1"', []),
        ('v1.0"', []),
        ("^v1 OR late", []),
        ("NEAR(v1 late)", []),
        ("%%%", []),
        ("é" * 3, []),
    ],
)
def test_search_finds_tags(shelf: Repository, text: str, tags: list[str]) -> None:
    found = find.tags(Repository.objects.all(), search.parse(text), NOW)

    assert sorted(Tag.objects.get(pk=key).name for key in found.keys) == sorted(tags)
    assert not found.more


def test_the_very_name_comes_first_then_what_begins_with_it() -> None:
    repository = factories.repository()
    factories.tags(repository, ["a-v1.0", "v1.0-alpine", "v1.0"])

    found = find.tags(Repository.objects.all(), search.parse("v1.0"), NOW)

    assert [Tag.objects.get(pk=key).name for key in found.keys] == ["v1.0", "v1.0-alpine", "a-v1.0"]


def test_counting_ends_somewhere_and_says_so() -> None:
    repository = factories.repository()
    Tag.objects.bulk_create(
        Tag(repository=repository, name=f"build-{number}", first_seen_at=NOW)
        for number in range(find.MOST + 5)
    )

    found = find.tags(Repository.objects.all(), search.parse("build"), NOW)

    assert (len(found.keys), found.more) == (find.MOST, True)


def test_digests_are_found_with_the_layers_and_configs(shelf: Repository) -> None:
    visible = Repository.objects.all()
    base = search.parse(f"digest:{factories.digest('base')[7:19]}")

    held = Revision.objects.filter(pk__in=find.revisions(visible, base, NOW).keys)
    assert {row.manifest.digest for row in held} == {factories.digest("old"), factories.digest("new")}
    assert len(find.blobs(visible, base).keys) == 1
    assert not find.blobs(visible.filter(name="other"), base).keys
    assert not find.revisions(visible.filter(name="other"), base, NOW).keys


def test_untagged_digests_are_those_nothing_leads_to(shelf: Repository) -> None:
    found = find.revisions(Repository.objects.all(), search.parse("untagged:yes"), NOW)
    assert [Revision.objects.get(pk=key).manifest.digest for key in found.keys] == [factories.digest("loose")]


def test_the_index_of_trigrams_follows_every_row(shelf: Repository) -> None:
    def keys(text: str) -> list[int]:
        return find.tags(Repository.objects.all(), search.parse(text), NOW).keys

    row = factories.tag(shelf, "nightly-77")
    assert keys("nightly") == [row.pk]
    Tag.objects.bulk_create(
        [Tag(repository=shelf, name="nightly-77", first_seen_at=NOW, seen_at=NOW)],
        update_conflicts=True,
        unique_fields=["repository", "name"],
        update_fields=["seen_at"],
    )
    assert keys("nightly") == [row.pk]
    shelf.tags.filter(name="nightly-77").update(gone_at=NOW)
    assert keys("nightly") == []
    shelf.tags.filter(name="nightly-77").delete()
    assert keys("nightly") == []


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL keeps its indexes itself")
def test_lost_triggers_are_mended(shelf: Repository) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER index_tag_trigrams_insert")
    row = factories.tag(shelf, "nightly-78")
    assert not find.tags(Repository.objects.all(), search.parse("nightly"), NOW).keys

    trigrams.ensure()

    assert find.tags(Repository.objects.all(), search.parse("nightly"), NOW).keys == [row.pk]


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="how SQLite finds rows")
@pytest.mark.parametrize("text", ["nightly", "v1.*", "tag:nightly", "late", "zz"])
def test_a_word_is_not_looked_for_in_every_tag(shelf: Repository, text: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        find.tags(Repository.objects.all(), search.parse(text), NOW)
    plans = []
    with connection.cursor() as cursor:
        for query in queries.captured_queries:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            plans += [row[-1] for row in cursor.fetchall()]

    assert plans
    assert not [plan for plan in plans if plan.startswith("SCAN index_tag ") or plan == "SCAN index_tag"]


def test_another_registrys_rows_stay_out(shelf: Repository) -> None:
    other = factories.registry("other")
    factories.tags(factories.repository("team/app", of=other), ["latest"])
    visible = Repository.objects.filter(registry=Registry.objects.get(name="main"))

    assert len(find.tags(visible, search.parse("latest"), NOW).keys) == 1
    assert len(find.repositories(visible, search.parse("app"), NOW).keys) == 1
