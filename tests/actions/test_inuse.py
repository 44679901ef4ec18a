"""What runs somewhere is locked until its source falls silent."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from regui import oci
from regui.accounts import access
from regui.accounts.access import Actor, Role
from regui.actions import delete, inuse, many, overriding, protection, retag, run, untag
from regui.actions.models import InUse, Source
from regui.actions.plans import Plan, Protected, shortened
from regui.actions.protection import Rule
from regui.index.models import Registry
from tests import images
from tests.actions.stand import ALICE, Stand
from tests.factories import NOW, digest, registry

SINCE = datetime(2026, 7, 31, 20, 0, 59, tzinfo=UTC)
REASON = "running in prod since 2026-07-31 20:00 UTC"


def use(
    source: str = "prod",
    *,
    tag: str = "",
    on: str = "",
    since: datetime = SINCE,
    left: timedelta = timedelta(hours=1),
    repository: str = "team/app",
    registry: str = "main",
) -> InUse:
    """A use that a source told, which holds for that time yet."""
    fields = {"actor": "alice", "told_at": NOW, "expires_at": NOW + left}
    row, _ = Source.objects.get_or_create(name=source, defaults=fields)
    return InUse.objects.create(
        source=row, registry=registry, repository=repository, tag=tag, digest=on, since=since
    )


# Reasons


@pytest.mark.django_db
def test_a_use_locks_its_tag_and_its_digest() -> None:
    use(tag="1.0", on=digest("a"))
    use(on=digest("b"))
    use(tag="edge")
    found = inuse.of_repository(registry(), "team/app", NOW)
    assert found.tags == {"1.0": REASON, "edge": REASON}
    assert found.digests == {digest("a"): REASON, digest("b"): REASON}
    assert found.afloat == {"edge"}


@pytest.mark.django_db
def test_what_expired_locks_nothing() -> None:
    use(tag="1.0", left=timedelta())
    assert not inuse.of_repository(registry(), "team/app", NOW)
    assert inuse.of_repository(registry(), "team/app", NOW - timedelta(seconds=1))


@pytest.mark.django_db
def test_a_reason_names_two_sources_and_counts_the_others_the_first_first() -> None:
    later = SINCE + timedelta(hours=1)
    use("beta", tag="1.0", on=digest("a"), since=later)
    use("alpha", tag="1.0", on=digest("a"), since=later)
    both = "running in alpha since 2026-07-31 21:00 UTC and in beta since 2026-07-31 21:00 UTC"
    assert inuse.of_repository(registry(), "team/app", NOW).tags == {"1.0": both}
    use("prod", tag="1.0")
    three = f"{REASON} and in alpha since 2026-07-31 21:00 UTC, and in 1 other"
    assert inuse.of_repository(registry(), "team/app", NOW).tags == {"1.0": three}


@pytest.mark.django_db
def test_a_registry_s_uses_come_by_repository_in_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    use(tag="1.0")
    use(tag="2.0", repository="team/web")
    use(tag="3.0", registry="other")
    row = registry()
    with django_assert_num_queries(1):
        found = inuse.of_registry(row, NOW)
    assert {name: uses.tags for name, uses in found.items()} == {
        "team/app": {"1.0": REASON},
        "team/web": {"2.0": REASON},
    }
    with django_assert_num_queries(1):
        assert inuse.of_repository(row, "team/web", NOW).tags == {"2.0": REASON}


# What is in use stays


def run_it(stand: Stand, *, tag: str = "", on: str = "") -> str:
    """Somebody says that it runs; the reason why it stays."""
    now = timezone.now()
    use(tag=tag, on=on, repository=stand.name, left=now - NOW + timedelta(hours=1))
    return REASON


def refuse(stand: Stand, plan: Plan) -> None:
    """Running the plan is refused, and nothing changes."""
    assert plan.refused
    before = stand.tags()
    with pytest.raises(run.Protected, match="running in prod since"):
        stand.run(plan)
    assert stand.tags() == before


def test_what_runs_is_refused_as_tag_as_digest_in_bulk_and_with_all_else(stand: Stand) -> None:
    top = stand.registry.push(stand.name, tags=["1.0", "other"])
    stand.registry.push(stand.name, tags=["2.0"])
    reason = run_it(stand, tag="1.0", on=top)
    plan = untag.look(stand.repository, "1.0")
    assert plan.protected == (Protected("1.0", top, reason, in_use=True),)
    refuse(stand, plan)
    refuse(stand, delete.look(stand.repository, top))
    refuse(stand, many.everything(stand.repository))
    some = many.tags(stand.repository, ["1.0", "2.0"])
    assert [one.tag for one in some.protected] == ["1.0"]
    assert stand.run(some).state == "done"
    assert stand.tags() == {"1.0": top, "other": top}


def test_a_child_of_an_index_that_runs_stays_and_so_does_what_speaks_about_it(stand: Stand) -> None:
    built = images.index()
    top = stand.registry.push_built(stand.name, built, ["1.0"])
    child = built.children[0].digest
    signature = stand.registry.push(stand.name, tags=[f"{oci.referrers_tag(child)}.sig"])
    run_it(stand, on=top)
    (held,) = delete.look(stand.repository, child).protected
    assert held.reason == f"needed by {shortened(top)}, which is {REASON}"
    refuse(stand, delete.look(stand.repository, child))
    refuse(stand, delete.look(stand.repository, signature))


def test_a_tag_in_use_moves_on_and_what_ran_stays(stand: Stand) -> None:
    old = stand.registry.push(stand.name, tags=["live"])
    new = stand.registry.push(stand.name, tags=["2.0"])
    run_it(stand, tag="live", on=old)
    assert stand.run(retag.look(stand.repository, "2.0", "live")).state == "done"
    assert stand.on("live") == new
    refuse(stand, delete.look(stand.repository, oci.Digest(old)))
    assert not many.untagged(stand.repository).steps
    assert stand.on(old) == old


def test_a_tag_of_which_nobody_knows_what_ran_stays_where_it_is(stand: Stand) -> None:
    stand.registry.push(stand.name, tags=["live"])
    stand.registry.push(stand.name, tags=["2.0"])
    run_it(stand, tag="live")
    refuse(stand, retag.look(stand.repository, "2.0", "live"))


def test_what_runs_since_a_plan_was_made_is_left_out_of_its_action(stand: Stand) -> None:
    top = stand.registry.push(stand.name, tags=["1.0"])
    action = run.start(untag.look(stand.repository, "1.0"), ALICE)
    run_it(stand, tag="1.0", on=top)
    ended = run.carry_out(action)
    assert ended.state == "failed"
    assert "running in prod since" in ended.reason
    assert stand.on("1.0") == top


def test_what_expired_can_be_deleted(stand: Stand) -> None:
    top = stand.registry.push(stand.name, tags=["1.0"])
    run_it(stand, tag="1.0", on=top)
    Source.objects.update(expires_at=timezone.now())
    assert stand.run(untag.look(stand.repository, "1.0")).state == "done"
    assert stand.tags() == {}


# Going over it

WHY = "the cluster was switched off"


def test_an_administrator_goes_over_what_runs_and_the_journal_says_why(
    stand: Stand, caplog: pytest.LogCaptureFixture
) -> None:
    top = stand.registry.push(stand.name, tags=["1.0"])
    run_it(stand, tag="1.0", on=top)
    plan = delete.look(stand.repository, top, override=f"  {WHY} ")
    assert (plan.protected, plan.override) == ((), WHY)
    assert plan.fingerprint != delete.look(stand.repository, top, override=f"{WHY}!").fingerprint
    action = stand.run(plan)
    assert (action.state, action.plan["asked"]) == ("done", {"override": WHY})
    assert f"goes over what is in use: {WHY}" in caplog.text
    assert stand.tags() == {}


def test_a_maintainer_does_not_go_over_what_runs(stand: Stand) -> None:
    top = stand.registry.push(stand.name, tags=["1.0"])
    run_it(stand, tag="1.0", on=top)
    plan = untag.look(stand.repository, "1.0", override=WHY)
    with pytest.raises(access.Forbidden):
        run.run(plan, Actor("mary", Role.MAINTAINER))
    assert stand.on("1.0") == top


def test_nobody_goes_over_what_is_protected(stand: Stand) -> None:
    top = stand.registry.push(stand.name, tags=["1.0"])
    run_it(stand, tag="1.0", on=top)
    protection.add(Registry.objects.get(), Rule("**", "1.*"), "alice", "", timezone.now())
    plan = untag.look(stand.repository, "1.0", override=WHY)
    assert plan.protected == (Protected("1.0", top, "protected by 1.*"),)
    assert plan.refused


@pytest.mark.parametrize("reason", ["too short", "x" * 501])
def test_a_reason_says_something(reason: str) -> None:
    with pytest.raises(oci.InvalidName, match="10 to 500 characters"):
        overriding.asked("untag", reason)


def test_only_what_deletes_goes_over_what_runs() -> None:
    assert overriding.asked("untag", "  ") == {}
    with pytest.raises(oci.InvalidName, match="Only what deletes"):
        overriding.asked("retag", WHY)
