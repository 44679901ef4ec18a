"""A policy from its first dry run to the undo of what it did, in a browser."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looks import DESK, PHONE, Looks
from tests.browser.site import Site
from tests.serving import Running, regui

REPOSITORY = "cleaned/app"
SAVE = """
from django.utils import timezone
from regui.accounts.access import Actor, Role
from regui.actions.retention import book
from regui.index.models import Registry
from regui.retention.policy import Policy
registry = Registry.objects.get()
policy = Policy.read({
    "name": "pulls", "registry": registry.name, "repositories": ["cleaned/**"], "otherwise": "keep",
    "rules": [{"keep": "matching", "tags": ["v*"]}, {"drop": "matching", "tags": ["pr-*"]}],
    "schedule": "0 3 * * *", "limit": "40%", "note": "What pull requests leave behind",
})
book.save(Actor("anonymous", Role.ADMIN, visitor=True), registry, policy, timezone.now())
"""


@pytest.fixture
def pulls(site: Site, alone: Running, data: Path, page: Page) -> Mapping[str, str]:
    """The lab's digests by tag, and a policy over them that was just saved."""
    for tag in ("pr-1", "pr-2", "pr-3", "v1"):
        site.lab.push(REPOSITORY, tags=[tag])
    # Opening a repository has it read.
    page.goto(f"{alone.url}/main/{REPOSITORY}/")
    expect(page.locator("[data-tag]").first).to_be_visible()
    saved = regui(data, "shell", "-c", SAVE, REGUI_REGISTRY_URL=site.lab.url)
    assert saved.returncode == 0, saved.stderr
    return site.tagged(REPOSITORY)


def asking(page: Page, alone: Running) -> None:
    """The policy's page once its first dry run waits for a person."""
    call = page.get_by_role("heading", name="pulls waits for you")
    for _ in range(60):
        page.goto(f"{alone.url}/main/-/cleanup/policies/pulls/")
        if call.count():
            return
        page.wait_for_timeout(500)
    raise AssertionError(page.inner_text("main"))


def test_a_policy_is_approved_carried_out_and_taken_back(
    site: Site, alone: Running, pulls: dict[str, str], page: Page, looks: Looks
) -> None:
    asking(page, alone)
    faults = looks.faults(page, "policy")
    page.set_viewport_size(DESK)
    tops = page.locator(".buttons .btn").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().top)"
    )
    assert len(tops) == 5
    assert len(set(tops)) == 1, "all buttons stand in one row"
    page.get_by_role("link", name="Look at it and decide").click()
    expect(page.locator('[data-tag="pr-2"]')).to_contain_text("dropped: rule 2, matches pr-*")
    assert site.tagged(REPOSITORY) == pulls, "nothing goes before somebody says so"
    faults += looks.faults(page, "run-asks")
    page.get_by_role("button", name="Approve: drop 3 tags").press("Enter")
    expect(page.locator('[data-run][data-state="done"]')).to_be_visible()
    assert site.tagged(REPOSITORY) == {"v1": pulls["v1"]}
    faults += looks.faults(page, "run-done")
    page.get_by_role("link", name="Undo the whole run").click()
    expect(page.get_by_text("comes back in 1 repository")).to_be_visible()
    faults += looks.faults(page, "run-undo")
    page.get_by_role("button", name="Undo the run").click()
    expect(page.get_by_text("took this run back")).to_be_visible()
    expect(page.locator("#undoing")).to_contain_text(re.compile("1 (waiting|running|done)"))
    page.get_by_role("link", name="How it was undone").click()
    expect(page.locator('[data-action][data-state="done"]')).to_be_visible()
    assert site.tagged(REPOSITORY) == pulls
    page.goto(f"{alone.url}/main/-/cleanup/runs/")
    faults += looks.faults(page, "runs")
    assert not faults, "\n".join(faults)


@pytest.mark.usefixtures("pulls")
def test_it_works_on_a_phone_without_scripts(alone: Running, browser: Browser, page: Page) -> None:
    asking(page, alone)
    context = browser.new_context(java_script_enabled=False, viewport=PHONE)
    try:
        plain = context.new_page()
        plain.goto(f"{alone.url}/main/-/cleanup/policies/pulls/")
        plain.get_by_role("link", name="Look at it and decide").click()
        plain.get_by_role("button", name="Approve").click()
        expect(plain.locator('[data-run][data-state="done"]')).to_be_visible()
        plain.locator(".nav-foot").get_by_role("link", name="Clean up").click()
        plain.get_by_role("link", name="Runs").click()
        expect(plain.locator('[data-run][data-state="done"]')).to_be_visible()
        expect(plain.get_by_text(re.compile(r"3 of 4 tags\s+\d")).first).to_be_visible()
    finally:
        context.close()
