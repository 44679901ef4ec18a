"""Signing in through a provider on another port, in a real browser that heeds the policy."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from tests import provider
from tests.browser.looks import Looks
from tests.browser.site import fresh
from tests.browser.watch import Watch
from tests.provider import Provider
from tests.registry import RunningRegistry
from tests.serving import Running, get


@pytest.fixture(scope="module")
def idp() -> Iterator[Provider]:
    with provider.running() as one:
        yield one


@pytest.fixture(scope="module")
def entered(
    idp: Provider, registry: RunningRegistry, started: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """A site that is entered through the provider, where who is in its group of admins administers."""
    data = Path(shutil.copytree(started, tmp_path_factory.mktemp("entered") / "data"))
    settings = {
        "REGUI_ANONYMOUS_ROLE": "none",
        "REGUI_REGISTRY_URL": registry.url,
        "REGUI_OIDC_ISSUER": idp.url,
        "REGUI_OIDC_CLIENT_ID": provider.CLIENT,
        "REGUI_OIDC_CLIENT_SECRET": provider.SECRET,
        "REGUI_OIDC_NAME": "the company account",
        "REGUI_OIDC_GROUPS": "idp-admins=admins",
        "REGUI_OIDC_ALLOWED_GROUPS": "idp-admins, staff",
        "REGUI_ADMIN_GROUPS": "admins",
    }
    with fresh(data, **settings) as one:
        yield one


def go_in(page: Page, site: Running, path: str, name: str) -> None:
    """Ask for a page, and say at the provider who it is."""
    page.goto(f"{site.url}{path}")
    page.get_by_role("button", name="Sign in with the company account").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Sign in").click()


def test_the_policy_lets_forms_lead_to_the_provider_and_nowhere_else(entered: Running, idp: Provider) -> None:
    policy = str(get(f"{entered.url}{reverse('account_login')}").headers["Content-Security-Policy"])
    assert f"form-action 'self' {idp.url};" in f"{policy};"


def test_a_person_signs_in_through_a_provider_on_another_port(
    page: Page, entered: Running, idp: Provider
) -> None:
    go_in(page, entered, "/-/settings/", "alice")
    page.wait_for_url(f"{entered.url}/-/settings/")
    expect(page.get_by_role("heading", name="Settings", level=1)).to_be_visible()


def test_without_scripts_too(browser: Browser, entered: Running, idp: Provider) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    go_in(page, entered, "/-/settings/", "alice")
    page.wait_for_url(f"{entered.url}/-/settings/")
    context.close()


def test_who_may_not_come_in_is_told_why_and_how_to_go_on(
    page: Page, entered: Running, watch: Watch, looks: Looks
) -> None:
    watch.expect("status 403")
    go_in(page, entered, "/", "charlie")
    expect(page.get_by_role("heading", name="You may not come in")).to_be_visible()
    assert looks.faults(page, "provider-refused") == []


def test_who_turns_round_there_can_begin_again(
    page: Page, entered: Running, watch: Watch, looks: Looks
) -> None:
    watch.expect("status 403")
    go_in(page, entered, "/", "nobody")
    expect(page.get_by_role("heading", name="You aren't signed in")).to_be_visible()
    assert looks.faults(page, "provider-cancelled") == []
    page.get_by_role("link", name="To the sign-in page").click()
    expect(page.get_by_role("button", name="Sign in with the company account")).to_be_visible()
    assert looks.faults(page, "provider-button") == []
