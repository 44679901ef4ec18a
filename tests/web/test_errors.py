"""Every error is a page that says what happened and what to do next, with a status that tells the truth."""

import json
import logging
from dataclasses import replace

import pytest
from django.conf import settings as configured
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import path
from django.views.decorators.csrf import csrf_protect
from pytest_django import Settings

from regui import oci, urls
from regui.accounts import access
from regui.accounts.access import Actor, Right, Role
from regui.index import connect
from regui.index.connect import ensure_registries
from regui.registries import RegistrySettings
from regui.web import errors
from tests.fake import Fake
from tests.memory import Out, error, out
from tests.people import grant, person
from tests.registry import tls_registry
from tests.web.conftest import Visitor, registered

pytestmark = pytest.mark.django_db

# The answers to a repository's listing, what the page must say, and its status.
ANSWERS = [
    (error(401, "UNAUTHORIZED"), 502, "accept regui&#x27;s credentials", "REGUI_REGISTRY_USERNAME"),
    (error(403, "DENIED"), 403, "allow that", "REGUI_REGISTRY_PASSWORD_FILE"),
    (error(404, "NAME_UNKNOWN"), 404, "any more", "Repositories of main"),
    (error(405, "UNSUPPORTED"), 502, "offer that", "its documentation says which"),
    (error(429, "TOOMANYREQUESTS", Retry_After="7"), 503, "asks for a pause", "Try again"),
    (error(503, "UNAVAILABLE"), 502, "in trouble itself", "Try again"),
    (out(200, b"<html>Welcome to nginx!</html>", "text/html"), 502, "registry", "Try again"),
]


@pytest.mark.parametrize(("answer", "status", "title", "help_"), ANSWERS)
def test_what_a_registry_answers_becomes_a_page(
    answer: Out, status: int, title: str, help_: str, settings: Settings, bob: Visitor
) -> None:
    with Fake() as fake:
        fake.on("GET", r"/v2/team/app/tags/list", answer)
        registered(settings, fake.url)
        page = bob.get("/main/team/app/")
    assert page.status_code == status
    assert title in page.text
    assert help_ in page.text
    assert "no-store" in page["Cache-Control"]


def test_a_registry_that_hangs_is_a_504(settings: Settings, bob: Visitor) -> None:
    with Fake() as fake:
        fake.on("GET", r"/v2/team/app/tags/list", replace(out(200, {"tags": []}), stall=4))
        registered(settings, fake.url)
        page = bob.get("/main/team/app/")
    assert page.status_code == 504
    assert "took too long" in page.text


def test_a_registry_that_is_off_is_a_502(settings: Settings, bob: Visitor) -> None:
    with Fake() as fake:
        registered(settings, fake.url)
    page = bob.get("/main/team/app/")
    assert page.status_code == 502
    assert f"curl -i {fake.url}/v2/" in page.text
    assert "localhost" in page.text, "the usual trap of containers"


def test_a_certificate_nobody_vouches_for_is_explained(
    settings: Settings, bob: Visitor, tmp_path_factory: pytest.TempPathFactory
) -> None:
    running = tls_registry(tmp_path_factory.mktemp("tls"))
    try:
        registered(settings, running.url)
        page = bob.get("/main/")
    finally:
        running.stop()
    assert page.status_code == 502
    assert "certificate is not trusted" in page.text
    assert "REGUI_REGISTRY_CA_FILE" in page.text


def test_a_registry_that_leads_to_a_clouds_secrets_is_not_followed(settings: Settings, bob: Visitor) -> None:
    there = "http://169.254.169.254/latest/meta-data"
    with Fake() as fake:
        fake.on("GET", r"/v2/.*", out(401, Www_Authenticate=f'Bearer realm="{there}"'))
        registered(settings, fake.url)
        page = bob.get("/main/team/app/")
    assert page.status_code == 502
    assert "leads where regui doesn&#x27;t go" in page.text
    assert "169.254.169.254 leads to 169.254.169.254, which regui doesn&#x27;t connect to." in page.text
    assert "this is never allowed" in page.text


def test_a_link_local_registry_is_asked_only_when_that_is_allowed(settings: Settings, bob: Visitor) -> None:
    registered(settings, "http://169.254.1.1:9")
    refused = bob.get("/main/team/app/")
    assert "REGUI_ALLOW_LINK_LOCAL=on" in refused.text
    connect.close()
    settings.ALLOW_LINK_LOCAL = True
    # Whatever comes of asking there: networks differ.
    assert "REGUI_ALLOW_LINK_LOCAL" not in bob.get("/main/team/app/").text


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (error(401, "UNAUTHORIZED"), ("USERNAME=regui", "PASSWORD_FILE=")),
        (out(200, b"<html>Welcome to nginx!</html>", "text/html"), ("URL</code>", "URL=https")),
    ],
)
def test_one_registry_of_several_is_told_its_own_settings(
    answer: Out, words: tuple[str, str], settings: Settings, bob: Visitor
) -> None:
    with Fake() as fake:
        fake.on("GET", r"/v2/.*", answer)
        registered(settings, fake.url)
        one = RegistrySettings("prod-eu", fake.url, prefix="REGUI_REGISTRY_PROD_EU")
        settings.REGISTRIES = {"prod-eu": one}
        ensure_registries()
        page = bob.get("/prod-eu/")
    for word in words:
        assert f"REGUI_REGISTRY_PROD_EU_{word}" in page.text
        assert f"REGUI_REGISTRY_{word}" not in page.text


def test_a_registry_of_several_that_is_off_is_told_its_own_address(settings: Settings, bob: Visitor) -> None:
    with Fake() as fake:
        registered(settings, fake.url)
    settings.REGISTRIES = {"main": RegistrySettings("main", fake.url, prefix="REGUI_REGISTRY_MAIN")}
    assert "<code>REGUI_REGISTRY_MAIN_URL</code>" in bob.get("/main/").text


def test_a_password_is_never_shown(
    settings: Settings, bob: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    with Fake() as fake:
        fake.on("GET", r"/v2/.*", error(401, "UNAUTHORIZED", "hunter2 is wrong"))
        registered(settings, fake.url)
        settings.REGISTRIES = {
            "main": RegistrySettings("main", fake.url, username="regui", password="hunter2")
        }
        page = bob.get("/main/team/app/")
    assert page.status_code == 502
    assert "hunter2" not in page.text + caplog.text


def test_htmx_is_told_in_words_too(settings: Settings, bob: Visitor) -> None:
    with Fake() as fake:
        registered(settings, fake.url)
    page = bob.get("/main/team/app/", headers={"HX-Request": "true", "HX-Target": "div#results"})
    toast = json.loads(page["HX-Trigger"])["toast"]
    assert toast["level"] == "error"
    assert toast["text"].startswith("The registry can't be reached.")


@pytest.mark.parametrize("path_", ["/main/Upper/", "/-/nothing/", "/main/a/-/b/"])
@pytest.mark.usefixtures("index_registry")
def test_an_address_that_is_none_is_a_404_without_our_map(path_: str, bob: Visitor) -> None:
    page = bob.get(path_)
    assert page.status_code == 404
    assert "There is nothing here" in page.text
    assert "urlpattern" not in page.text
    assert "tried" not in page.text.lower()


@pytest.mark.parametrize("host", ["evil.example.com", "evil example com", "e" * 5000])
def test_a_host_that_is_not_ours_is_refused(
    host: str, settings: Settings, bob: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ALLOWED_HOSTS = ["regui.example.com"]
    page = bob.get("/", headers={"Host": host})
    assert page.status_code == 400
    assert "REGUI_URL" in page.text
    assert host not in page.text
    assert "Content-Security-Policy" in page
    refused = next(record for record in caplog.records if record.name == "regui.web.errors")
    assert refused.getMessage().startswith(f"refused a request for '{host[:20]}")
    assert len(refused.getMessage()) < 200
    assert [record for record in caplog.records if record.exc_info] == []


def test_a_form_without_its_token_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    page = Client(enforce_csrf_checks=True).post("/-/theme/", {"theme": "dark"})
    assert page.status_code == 403
    assert "Nothing was changed" in page.text
    assert "CSRF cookie not set" in caplog.text
    assert "CSRF cookie" not in page.text


READ_ONLY = [
    "/",
    "/-/activity/",
    "/-/jobs/",
    "/-/search/",
    "/-/settings/",
    "/main/",
    "/main/-/storage/",
    "/main/team/app/",
    "/main/team/app/-/history/",
    "/main/team/app/-/tags/1.0/",
    f"/main/team/app/-/manifests/{oci.Digest.of(b'')}/",
]


@pytest.mark.parametrize("address", READ_ONLY)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_page_that_changes_nothing_says_how_it_works_rather_than_ask_for_a_token(
    method: str, address: str
) -> None:
    page = Client(enforce_csrf_checks=True).generic(method, address)
    assert page.status_code == 405
    assert page["Allow"] == "GET, HEAD"
    assert "It answers GET, HEAD only." in page.text


def boom(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a secret detail")


@csrf_protect
def refuse(request: HttpRequest) -> HttpResponse:
    raise access.Forbidden(Actor("bob"), Right.DELETE, "main/team/app", "main", "team/app")


urlpatterns = [path("boom/", boom), path("refuse/", refuse), *urls.urlpatterns]
handler400, handler403, handler404, handler500 = (
    urls.handler400,
    urls.handler403,
    urls.handler404,
    urls.handler500,
)


@pytest.mark.urls(__name__)
def test_our_own_fault_is_owned_without_details(bob: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    bob.raise_request_exception = False
    page = bob.get("/boom/")
    assert page.status_code == 500
    assert "Something broke in regui" in page.text
    assert "secret" not in page.text
    assert "Traceback" not in page.text
    assert caplog.records[-1].levelno == logging.ERROR


@pytest.mark.urls(__name__)
def test_who_may_look_but_not_change_is_told_who_could(bob: Visitor) -> None:
    grant(Role.MAINTAINER, "team/*", user=person("dave"))
    grant(Role.MAINTAINER, "web/**", user=person("eve"))
    page = bob.get("/refuse/")
    assert page.status_code == 403
    assert "bob may not delete from main/team/app." in page.text
    assert "Ask somebody who could: dave." in page.text


@pytest.mark.urls(__name__)
def test_a_right_that_nobody_has_there_can_be_granted(bob: Visitor) -> None:
    grant(Role.ADMIN, user=person("root"))
    grant(Role.READER, "team/app")
    words = "Nobody has that right there now. Who administers regui can grant it: root."
    assert words in bob.get("/refuse/").text


def test_a_bad_request_says_why() -> None:
    page = errors.bad_request(RequestFactory().get("/"), BadRequest("The list is too long."))
    assert page.status_code == 400
    assert "The list is too long." in page.content.decode()


def leaves(kind: type[oci.Error]) -> list[type[oci.Error]]:
    """An error and all below it."""
    return [kind, *(leaf for child in kind.__subclasses__() for leaf in leaves(child))]


@pytest.mark.parametrize("code", sorted({kind.code for kind in leaves(oci.Error)} - {"error", "refused"}))
def test_every_error_of_the_client_has_a_page_of_its_own(code: str) -> None:
    problem = errors.of_registry(code, "It went wrong.", "Do this.")
    assert problem.title != errors.UNFORESEEN.title
    page = errors.respond(RequestFactory().get("/"), problem)
    assert page.status_code >= 400
    assert "Do this." in page.content.decode()


def test_what_has_no_page_of_its_own_still_has_one() -> None:
    assert errors.of_registry("refused", "x").title == errors.UNFORESEEN.title
    assert configured.CSRF_FAILURE_VIEW == "regui.web.errors.csrf"
