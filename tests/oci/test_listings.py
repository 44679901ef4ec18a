"""Catalog and tags page by page, in every vendor's way."""

from urllib.parse import quote

import pytest

from regui import oci
from tests.fake import Fake
from tests.memory import Ask, Out, Repository, error, out

NAME = "team/app"
NAMES = [f"r{number}" for number in range(6)]


def pages(links: list[str]) -> list[Out]:
    """A catalog of three pages with two names each, the first two with these links."""
    bodies = [{"repositories": NAMES[start : start + 2]} for start in (0, 2, 4)]
    linked = [out(200, body, Link=link) for body, link in zip(bodies, links, strict=False)]
    return [*linked, out(200, bodies[2])]


@pytest.mark.parametrize(
    ("link", "query"),
    [
        ('</v2/_catalog?last=a%2Fb&n=2>; rel="next"', "last=a%2Fb&n=2"),  # distribution: a path alone
        ("<?last=x&n=2>; rel=next", "last=x&n=2"),
        ('<{url}/v2/_catalog?next_page=gAAA%3D%3D>; rel="next"', "next_page=gAAA%3D%3D"),  # Quay: opaque
        ('<https://inner.example/v2/_catalog?last=x>; rel="next"', "last=x"),  # behind a proxy
        ('<//other.example/v2/_catalog?last=x>; rel="next"', "last=x"),
        ('</v2/_catalog?last=a/b c&n=2>; rel="next"', "last=a/b%20c&n=2"),  # zot: not escaped
        ('</v2/_catalog?last=1000>; rel="next"', "last=1000"),  # Artifactory: a number
        ('</other/path?x=y#part>; rel="next"', "x=y"),
    ],
)
def test_the_link_is_followed_whatever_its_form(
    fake: Fake, client: oci.Client, link: str, query: str
) -> None:
    link = link.replace("{url}", fake.url)
    fake.on("GET", "/v2/_catalog", pages([link, "<?last=second>; rel=next"]))

    assert list(client.catalog()) == NAMES

    assert [ask.raw_query for ask in fake.seen] == ["n=1000", query, "last=second"]
    assert {ask.path for ask in fake.seen} == {"/v2/_catalog"}
    assert {ask.headers["Host"] for ask in fake.seen} == {fake.host}


def test_a_link_that_lost_the_prefix_comes_out_right() -> None:
    """Artifactory in repository path mode."""
    with Fake(base="/artifactory/api/docker/main") as fake, oci.Client(f"{fake.url}/") as client:
        answers = [
            out(200, {"tags": ["a"]}, Link="</v2/team/app/tags/list?last=1>; rel=next"),
            out(200, {"tags": ["b"]}),
        ]
        fake.on("GET", "/v2/team/app/tags/list", answers)

        assert list(client.tags(NAME)) == ["a", "b"]


@pytest.mark.parametrize(
    "answers",
    [
        # The same page and the same link for ever.
        [out(200, {"tags": ["a", "b"]}, Link="<?last=b>; rel=next")],
        # A query that is ignored: the same names under ever new links.
        [out(200, {"tags": ["a", "b"]}, Link=f"<?last={number}>; rel=next") for number in range(99)],
        # Two pages taking turns.
        [out(200, {"tags": [name]}, Link=f"<?last={name}>; rel=next") for name in "abab"],
        # Nothing, for ever.
        [out(200, {"tags": None}, Link=f"<?last={number}>; rel=next") for number in range(99)],
        [out(200, {"tags": ["a"]}, Link="</v2/team/app/tags/list>; rel=next")],
        [out(200, {"tags": ["a"]}, Link=f"<?last={'x' * 9000}>; rel=next")],
        [out(200, {"tags": ["a"]}, Link="<http://[/?last=x>; rel=next")],
    ],
)
def test_a_page_that_does_not_advance_ends_the_listing(
    fake: Fake, client: oci.Client, answers: list[Out]
) -> None:
    fake.on("GET", ".*/tags/list", answers)

    with pytest.raises(oci.Misbehaved):
        list(client.tags(NAME))

    assert len(fake.seen) < 60


def test_an_empty_page_in_between_is_no_end(fake: Fake, client: oci.Client) -> None:
    """A registry that hides names from this user may send pages without any."""
    answers = [
        out(200, {"tags": tags}, Link=f"<?last={n}>; rel=next") for n, tags in enumerate((["a"], [], None))
    ]
    fake.on("GET", ".*/tags/list", [*answers, out(200, {"tags": ["b"]})])

    assert list(client.tags(NAME)) == ["a", "b"]


def test_a_last_page_of_null_is_an_end(fake: Fake, client: oci.Client) -> None:
    """distribution 3.1 when the page before was exactly full."""
    first = out(200, {"tags": ["a", "b"]}, Link="<?last=b&n=2>; rel=next")
    fake.on("GET", ".*/tags/list", [first, out(200, {"tags": None})])

    assert list(client.tags(NAME)) == ["a", "b"]


@pytest.mark.parametrize(
    "gone", [Out(404), error(404, "NAME_UNKNOWN"), error(400, "BAD_REQUEST")], ids=["zot", "404", "Harbor"]
)
def test_a_listing_whose_place_has_gone_begins_anew(fake: Fake, client: oci.Client, gone: Out) -> None:
    first = out(200, {"tags": ["a", "b"]}, Link="<?last=b>; rel=next")
    fake.on("GET", ".*/tags/list", [first, gone, first, out(200, {"tags": ["c"]})])

    assert list(client.tags(NAME)) == ["a", "b", "c"]


def test_a_listing_that_breaks_off_twice_is_an_error(fake: Fake, client: oci.Client) -> None:
    first = out(200, {"tags": ["a", "b"]}, Link="<?last=b>; rel=next")
    fake.on("GET", ".*/tags/list", lambda ask: Out(404) if "last" in ask.query else first)

    with pytest.raises(oci.Misbehaved):
        list(client.tags(NAME))


@pytest.mark.parametrize("code", ["PAGINATION_NUMBER_INVALID", "UNSUPPORTED"], ids=["distribution", "ECR"])
@pytest.mark.parametrize("most", [100, 0])
def test_a_page_size_over_the_limit_is_asked_for_smaller(
    fake: Fake, client: oci.Client, code: str, most: int
) -> None:
    def limited(ask: Ask) -> Out:
        return error(400, code) if int(ask.query.get("n", 0)) > most else out(200, {"repositories": ["a"]})

    fake.on("GET", "/v2/_catalog", limited)

    assert list(client.catalog()) == ["a"]


def test_no_page_is_ever_asked_for_larger_than_a_thousand(fake: Fake, client: oci.Client) -> None:
    fake.memory.repositories[NAME] = Repository()

    list(client.catalog())
    list(client.tags(NAME))

    assert [ask.query["n"] for ask in fake.seen] == ["1000", "1000"]


@pytest.mark.parametrize(
    "answer",
    [Out(404), out(404, b"404 page not found", "text/plain"), error(405, "UNSUPPORTED"), error(404, "X")],
)
def test_a_registry_without_a_catalog_says_so(fake: Fake, client: oci.Client, answer: Out) -> None:
    fake.on("GET", "/v2/_catalog", answer)

    with pytest.raises(oci.Unsupported) as caught:
        list(client.catalog())

    assert "by its name" in caught.value.hint


def test_names_nothing_could_be_asked_about_are_left_out(fake: Fake, client: oci.Client) -> None:
    fake.on("GET", "/v2/_catalog", out(200, {"repositories": ["a", "../b", "<b>", "", "A/b", "a", "c\n"]}))
    fake.on("GET", ".*/tags/list", out(200, {"tags": ["1", "-x", "a/b", "2"]}))

    assert list(client.catalog()) == ["a", "A/b"]
    assert list(client.tags(NAME)) == ["1", "2"]


def test_nothing_is_asked_before_the_first_name_is_taken(fake: Fake, client: oci.Client) -> None:
    listing = client.catalog()
    assert fake.seen == []

    assert list(listing) == []
    assert len(fake.seen) == 1


class TestUnderAPrefix:
    """Only the pages that a prefix needs are asked for, where the registry's order allows to tell."""

    ORDERS = {
        "distribution": ["a", "team", "team/a", "team/a/b", "team/z", "team-x", "team.y", "team0", "teams/a"],
        "bytes": ["a", "team", "team-x", "team.y", "team/a", "team/a/b", "team/z", "team0", "teams/a"],
        "language": ["a", "team", "team0", "team/a", "team/a/b", "teams/a", "team-x", "team.y", "team/z"],
    }
    REST = [f"u{number}" for number in range(20)]

    @pytest.mark.parametrize("order", ORDERS)
    def test_it_begins_at_the_prefix_and_stops_behind_it(
        self, fake: Fake, client: oci.Client, order: str
    ) -> None:
        names = self.ORDERS[order] + self.REST
        fake.on("GET", "/v2/_catalog", lambda ask: paged(ask, names, 2))

        assert list(client.catalog(under="team")) == ["team/a", "team/a/b", "team/z"]
        assert fake.seen[0].query["last"] == "team"
        assert len(fake.seen) <= 6

    def test_a_prefix_of_a_prefix_is_found_too(self, fake: Fake, client: oci.Client) -> None:
        fake.on("GET", "/v2/_catalog", lambda ask: paged(ask, self.ORDERS["distribution"] + self.REST, 2))
        assert list(client.catalog(under="team/a")) == ["team/a/b"]

    def test_a_registry_that_begins_behind_no_unknown_name_is_read_whole(
        self, fake: Fake, client: oci.Client
    ) -> None:
        """zot answers 404, Harbor 400."""
        names = ["other", "team/a", "team/z", *self.REST]

        def strict(ask: Ask) -> Out:
            known = ask.query.get("last", "other") in names
            return paged(ask, names, 2) if known else Out(404)

        fake.on("GET", "/v2/_catalog", strict)
        assert list(client.catalog(under="team")) == ["team/a", "team/z"]

    def test_a_registry_with_a_cursor_of_its_own_is_read_to_the_end(
        self, fake: Fake, client: oci.Client
    ) -> None:
        """Its names may come in any order."""
        link = '</v2/_catalog?next_page=2>; rel="next"'
        first = out(200, {"repositories": ["team/z", "u1"]}, Link=link)
        fake.on("GET", "/v2/_catalog", [first, out(200, {"repositories": ["team/a"]})])

        assert list(client.catalog(under="team")) == ["team/z", "team/a"]

    def test_without_a_catalog_there_is_none_under_a_prefix(self, fake: Fake, client: oci.Client) -> None:
        fake.on("GET", "/v2/_catalog", error(404, "NOT_FOUND"))
        with pytest.raises(oci.Unsupported):
            list(client.catalog(under="team"))


def paged(ask: Ask, names: list[str], size: int) -> Out:
    """A page of these names, in the order they have."""
    at = names.index(ask.query["last"]) + 1 if "last" in ask.query else 0
    some = names[at : at + size]
    link = f'</v2/_catalog?last={quote(some[-1], safe="")}&n={size}>; rel="next"' if some else ""
    return out(200, {"repositories": some}, **({"Link": link} if names[at + size :] else {}))
