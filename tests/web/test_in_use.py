"""The page of what runs somewhere, marks on what is in use, and going over it on the page that asks."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from regui.accounts.access import Role
from regui.actions.models import Action, InUse, Source
from tests.actions.conftest import stand  # noqa: F401 — a fixture
from tests.actions.stand import Stand
from tests.people import SignedIn

# fixtures are called like the arguments that ask for them
# ruff: noqa: F811

WHY = "the cluster was switched off"


def use(name: str, tag: str = "", on: str = "", *, source: str = "prod", hours: int = 1) -> None:
    now = timezone.now()
    row, _ = Source.objects.get_or_create(
        name=source,
        defaults={
            "actor": "robot:ci",
            "told_at": now,
            "expires_at": now + timedelta(hours=hours),
            "images": 3,
            "ignored": [["nginx:1.25", "of no registry here"]],
            "ignored_count": 1,
        },
    )
    InUse.objects.create(source=row, registry="main", repository=name, tag=tag, digest=on, since=now)


def fields(text: str, form: str) -> dict[str, str]:
    """The hidden fields of a form of the page."""
    found = text.partition(f'id="{form}"')[2].partition("</form>")[0]
    pairs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', found)
    return {name: unescape(value) for name, value in pairs}


def repositories(text: str) -> list[str]:
    return re.findall(r'<tr data-repository="([^"]+)"', text)


@pytest.fixture
def alice(stand: Stand) -> SignedIn:
    assert stand.name
    return SignedIn("alice", (Role.ADMIN, "**"))


def test_nothing_told_teaches_how_to_tell(alice: SignedIn) -> None:
    text = alice.get("/main/-/cleanup/in-use/").content.decode()
    assert "Nobody tells what runs" in text
    assert "http://testserver/api/v1/in-use/my-cluster" in unescape(re.sub(r"<[^>]+>", "", text))


def test_the_page_tells_what_runs_where_and_what_is_ignored(stand: Stand, alice: SignedIn) -> None:
    use("team/app", "1.0", f"sha256:{'a' * 64}")
    use("vault/a", "2.0", source="old", hours=-1)
    text = alice.get("/main/-/cleanup/in-use/").content.decode()
    assert repositories(text) == ["team/app", "vault/a"]
    assert re.findall(r'data-source="([^"]+)"', text) == ["old", "prod"]
    assert "nginx:1.25" in text
    assert "robot:ci" in text
    assert text.count("expired") >= 2
    assert repositories(alice.get("/main/-/cleanup/in-use/?q=2.0+old").content.decode()) == ["vault/a"]
    assert "Nothing matches" in alice.get("/main/-/cleanup/in-use/?q=absent").content.decode()


def test_only_the_ways_one_may_go_are_offered(stand: Stand, alice: SignedIn) -> None:
    def ways(who: SignedIn) -> list[str]:
        page = who.get("/main/-/cleanup/in-use/").content.decode()
        return re.findall(r'href="([^"]+)"', page.partition('class="tabs ways"')[2].partition("</nav>")[0])

    bob, otto = SignedIn("bob", (Role.READER, "**")), SignedIn("otto", (Role.AUDITOR, "**"))
    assert ways(bob) == ["/main/-/cleanup/in-use/"]
    for who in (alice, otto):
        assert len(ways(who)) == 5
    for who in (alice, otto, bob):
        assert {who.get(way).status_code for way in ways(who)} == {200}


def test_who_sees_some_repositories_sees_what_runs_of_these(stand: Stand) -> None:
    use("team/app", "1.0")
    use("vault/a", "2.0")
    use("vault/b", "2.0", source="theirs")
    bob = SignedIn("bob", (Role.READER, "team/**"))
    text = bob.get("/main/-/cleanup/in-use/").content.decode()
    assert repositories(text) == ["team/app"]
    for hidden in ("vault", "theirs", "nginx", "robot:ci"):
        assert hidden not in text
    assert "1 image of this registry" in text


def test_tags_in_use_are_marked_in_the_list_and_on_their_pages(stand: Stand, alice: SignedIn) -> None:
    top = stand.registry.push(stand.name, tags=["1.0", "2.0"])
    use(stand.name, "1.0", top)
    text = alice.get(f"/main/{stand.name}/").content.decode()
    row = text.partition('data-tag="1.0"')[2].partition("</tr>")[0]
    assert "unning in prod since" in row
    page = alice.get(f"/main/{stand.name}/-/tags/1.0/").content.decode()
    assert "in use</span>" in page
    assert "neither it nor its manifest can be deleted here" in page


def test_an_administrator_goes_over_it_with_a_reason_and_the_action_shows_it(
    stand: Stand, alice: SignedIn
) -> None:
    top = stand.registry.push(stand.name, tags=["1.0"])
    use(stand.name, "1.0", top)
    where = f"/main/{stand.name}/-/manifests/{top}/delete/"
    text = alice.get(where).content.decode()
    assert "It is running somewhere, so it stays." in text
    assert stand.on("1.0") == top
    asked = fields(text, "override")
    short = alice.post(where, {**asked, "override": "too short"})
    assert short.status_code >= 400
    shown = alice.post(where, {**asked, "override": WHY})
    assert shown.status_code == 200
    assert "This goes over what is in use" in shown.content.decode()
    assert stand.on("1.0") == top, "it only asks"
    done = alice.post(where, fields(shown.content.decode(), "confirm"))
    assert done.status_code == 303
    assert stand.tags() == {}
    action = Action.objects.get()
    assert action.plan["asked"] == {"override": WHY}
    assert WHY in alice.get(f"/-/actions/{action.pk}/").content.decode()


def test_tags_ticked_in_bulk_go_over_it_too(stand: Stand, alice: SignedIn) -> None:
    top = stand.registry.push(stand.name, tags=["1.0", "2.0"])
    alice.get(f"/main/{stand.name}/")
    use(stand.name, "1.0", top)
    where = f"/main/{stand.name}/-/bulk/"
    text = alice.get(where, {"tag": ["1.0", "2.0"]}).content.decode()
    assert "1 is in use and stays" in text
    shown = alice.post(where, {**fields(text, "override"), "override": WHY}).content.decode()
    assert fields(shown, "confirm")["override"] == WHY
    assert alice.post(where, fields(shown, "confirm")).status_code == 303
    assert Action.objects.get().plan["asked"]["override"] == WHY


def test_a_maintainer_is_neither_offered_that_nor_let(stand: Stand, alice: SignedIn) -> None:
    top = stand.registry.push(stand.name, tags=["1.0"])
    use(stand.name, "1.0", top)
    mary = SignedIn("mary", (Role.MAINTAINER, "**"))
    where = f"/main/{stand.name}/-/tags/1.0/delete/"
    text = mary.get(where).content.decode()
    assert "running in prod since" in text
    assert 'id="override"' not in text
    assert mary.post(where, {**fields(text, "confirm"), "override": WHY}).status_code == 403
    assert mary.post(where, fields(text, "confirm")).status_code == 409
    assert stand.on("1.0") == top
