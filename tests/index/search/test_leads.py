"""Leads and looking through: whichever way a search finds, it finds the same."""

from datetime import timedelta
from itertools import combinations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from regui.index import record, search, usage
from regui.index.models import Manifest, Repository, Revision, Tag
from regui.index.search import facets, find, leads, rows
from tests import factories

pytestmark = pytest.mark.django_db
NOW = factories.NOW
MB = 1_000_000
TERMS = (
    *("size:>2MB", "size:<=2MB", "created:<30d", "created:>30d", "type:image", "type:helm", "type:index"),
    *("platform:amd64", "platform:arm/v7", "label:a", "label:a=1", 'label:"b c"', "label:a=nothing"),
    *("signed:yes", "signed:no", "pulled:yes", "pulled:no", "pulled:<30d", "untagged:yes", "untagged:no"),
    *("tag:v1", "tag:v*", "repo:web", "repo:team/*", f"digest:{factories.digest('shared')[7:20]}"),
)


@pytest.fixture
def places() -> None:
    """Two repositories that differ in everything that can be asked for."""
    app, web = factories.repository("team/app"), factories.repository("team/web")
    one = factories.manifest(app, "one", layers={"shared": MB}, labels={"a": "1", "b c": "x" * 300})
    two = factories.manifest(app, "two", layers={"shared": MB, "b": 4 * MB}, created_at=NOW - timedelta(90))
    arm = factories.manifest(app, "arm", layers={"c": 2 * MB}, platforms=["linux/arm/v7"], labels={"a": "2"})
    both = factories.index(app, [one, arm], "both")
    chart = factories.manifest(web, "chart", layers={"d": MB}, kind="helm", platforms=[], labels={"a": "1"})
    signature = factories.manifest(
        web, "signature", subject=chart.digest, artifact_type="application/vnd.cncf.notary.signature"
    )
    factories.tag(app, "v1", one, pulled_at=NOW - timedelta(3))
    factories.tag(app, "v2", two, pulled_at=NOW - timedelta(60))
    factories.tag(app, "v1-all", both)
    factories.tag(app, f"{two.digest.replace(':', '-')}.sig", signature)
    factories.tag(web, "v1", chart)
    factories.tag(web, "unread")
    factories.manifest(web, "loose")
    for repository in (app, web):
        usage.total(repository)


def queries() -> list[str]:
    """Each term, turned round too, alone and with some of the others."""
    single = [f"{sign}{term}" for term in TERMS for sign in ("", "-")]
    return single + [f"{one} {other}" for one, other in list(combinations(single, 2))[::7]]


def test_the_search_finds_the_tags_that_lists_do(places: None) -> None:
    everywhere = Repository.objects.all()
    for text in queries():
        query = search.parse(text)
        expected = set(search.tags(Tag.objects.visible(), query, NOW).values_list("pk", flat=True))
        found = find.tags(everywhere, query, NOW, patience=60)
        assert (set(found.keys), found.more, found.partly) == (expected, False, False), text


def test_the_search_and_lists_find_the_same_repositories(places: None) -> None:
    everywhere = Repository.objects.all()
    for text in queries():
        query = search.parse(text)
        one_by_one = rows.themselves(everywhere, query, NOW)
        if asked := rows.of_tags(query):
            one_by_one = one_by_one.filter(rows.has(asked, NOW))
        expected = set(one_by_one.values_list("pk", flat=True))
        assert set(find.repositories(everywhere, query, NOW, patience=60).keys) == expected, text
        assert set(search.repositories(everywhere, query, NOW).values_list("pk", flat=True)) == expected, text


@pytest.mark.parametrize(
    "text",
    [
        *(
            "type:helm",
            "platform:arm/v7",
            "label:a",
            'label:"b c"',
            "tag:v1-all",
            "size:>4MB",
            "created:>30d",
        ),
        *("pulled:yes", "pulled:>30d", "signed:yes", "-signed:no", "-pulled:no"),
    ],
)
def test_what_is_rare_is_led_to(places: None, text: str) -> None:
    lead = leads.best(Repository.objects.all(), search.parse(text), NOW)
    if connection.vendor == "postgresql" and text.startswith("tag:"):
        assert lead is None  # names have an index of their own there
    else:
        assert lead is not None
        assert lead.short


def test_what_is_common_is_found_though_no_lead_goes_all_the_way() -> None:
    repository = factories.repository(tag_count=leads.FEW + 10)
    Tag.objects.bulk_create(
        Tag(repository=repository, name=f"build-{number}", first_seen_at=NOW, size_key=1, pulled_at=NOW)
        for number in range(leads.FEW + 10)
    )
    everywhere = Repository.objects.all()

    found = find.tags(everywhere, search.parse("pulled:yes"), NOW)
    assert (len(found.keys), found.more, found.partly) == (find.MOST, True, False)
    assert find.repositories(everywhere, search.parse("pulled:yes"), NOW).keys == [repository.pk]

    # The last is beyond what the lead holds.
    found = find.tags(everywhere, search.parse(f"pulled:yes size:<2B tag:build-{leads.FEW + 9}"), NOW)
    assert len(found.keys) == 1

    # So is a repository that came later.
    late = factories.repository("team/late")
    factories.tag(late, "1", pulled_at=NOW + timedelta(days=1))
    assert set(search.repositories(everywhere, search.parse("pulled:yes"), NOW)) == {repository, late}


def test_who_runs_out_of_patience_says_so() -> None:
    for name in ("first", "second"):
        factories.tag(factories.repository(name, tag_count=find.HANDFUL), "v1")
    everywhere = Repository.objects.all()

    for look in (find.tags, find.repositories):
        found = look(everywhere, search.parse("signed:no"), NOW, patience=-1)
        assert (len(found.keys), found.partly) == (1, True)
        found = look(everywhere, search.parse("signed:no"), NOW, patience=60)
        assert (len(found.keys), found.partly) == (2, False)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("short", ""),
        ("one", "é"),
        ("an.odd-key/with_all", "value with spaces, and = signs"),
        ("emoji", "🚀" * 9),
        ("K" * 200, "V" * 5000),
        ("case", "MiXeD"),
        ("right-to-left", "שלום עולם"),
        ("quote", 'say "so"'),
        ("line", "one\ntwo"),
    ],
)
def test_labels_of_any_kind_are_led_to(key: str, value: str) -> None:
    repository = factories.repository()
    row = factories.tag(repository, "v1", factories.manifest(repository, labels={key: value}))
    everywhere = Repository.objects.all()

    for term in (search.query.Label(key), search.query.Label(key, value)):
        assert find.tags(everywhere, search.Query((term,)), NOW).keys == [row.pk]
    other = search.query.Label(key, f"{value[:4]} else {value[-4:]}")
    assert not find.tags(everywhere, search.Query((other,)), NOW).keys


def test_the_index_of_facets_follows_every_row() -> None:
    repository = factories.repository()
    row = factories.manifest(repository, labels={"a": "1"})
    factories.tag(repository, "v1", row)

    def found(text: str) -> bool:
        return bool(find.tags(Repository.objects.all(), search.parse(text), NOW).keys)

    assert found("label:a=1 type:image platform:amd64")
    row.labels, row.platforms = {"b": "2"}, ["linux/s390x"]
    Manifest.objects.bulk_update([row], ["labels", "platforms"])
    assert found("label:b=2 platform:s390x")
    assert not found("label:a")
    Manifest.objects.filter(pk=row.pk).update(kind="helm")
    assert found("type:helm")
    assert not found("type:image")
    Tag.objects.all().delete()
    Manifest.objects.all().delete()
    assert not facets.few([search.query.Type("helm")], 10)


def test_the_sums_tell_what_may_be_untagged() -> None:
    repository = factories.repository()
    one, two = factories.manifest(repository), factories.manifest(repository)
    both = factories.index(repository, [two])
    loose = factories.manifest(repository)
    factories.tag(repository, "v1", one)
    top = factories.tag(repository, "v2", both)
    assert not Revision.objects.exclude(loose=True).exists()

    def marked() -> set[int]:
        return set(Revision.objects.filter(loose=True).values_list("manifest", flat=True))

    def found() -> set[int]:
        keys = find.revisions(Repository.objects.all(), search.parse("untagged:yes"), NOW).keys
        return {row.manifest_id for row in Revision.objects.filter(pk__in=keys)}

    assert found() == {loose.pk}
    usage.total(repository)
    assert marked() == found() == {loose.pk}
    top.delete()
    usage.total(repository)
    assert marked() == found() == {loose.pk, both.pk}
    record.missing(repository, [both.digest], NOW)
    assert found() == {loose.pk, two.pk}
    factories.tag(repository, "v3", loose)
    usage.total(repository)
    assert marked() == {two.pk, both.pk}
    assert found() == {two.pk}


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="how SQLite finds rows")
@pytest.mark.parametrize(
    "text",
    [
        *(
            "size:>1TB",
            "created:<1h",
            "type:helm",
            "platform:s390x",
            "label:none",
            "signed:yes",
            "pulled:yes",
        ),
        *("untagged:yes", "digest:0a1b", "pulled:<1d label:none"),
    ],
)
def test_what_is_rare_is_not_looked_for_in_every_row(places: None, text: str) -> None:
    everywhere, query = Repository.objects.all(), search.parse(text)
    with CaptureQueriesContext(connection) as queries:
        find.tags(everywhere, query, NOW)
        find.repositories(everywhere, query, NOW)
        find.revisions(everywhere, query, NOW)
    plans = []
    with connection.cursor() as cursor:
        for one in queries.captured_queries:
            cursor.execute(f"EXPLAIN QUERY PLAN {one['sql']}")
            plans += [row[-1] for row in cursor.fetchall()]

    # By an index of few, such as tag_folded, all of these may be read.
    large = {f"SCAN {table}" for table in ("index_tag", "index_manifest", "index_revision", "index_blobuse")}
    assert plans
    assert not large & set(plans)
