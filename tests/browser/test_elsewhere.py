"""A page of another site, in the browser of somebody who has signed in, makes the API do nothing. It is on
another port of the same host, so that the session's cookie does go along."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, Response

from tests.browser.entering import Closed
from tests.browser.watch import Watch

JSON = "application/json"
FORM = """<!doctype html><title>Elsewhere</title>
<form method="post" enctype="{kind}" action="{url}"><input name='{{"a":"' value='"}}'></form>"""
# What scripts can try, each with the cookie; none of them reads an answer.
POST = 'method: "POST", credentials: "include", body: "{}"'
TRIES = {
    "no-cors": f'fetch(url, {{mode: "no-cors", {POST}}})',
    "json": f'fetch(url, {{{POST}, headers: {{"Content-Type": json}}}})',
    "no-cors json": f'fetch(url, {{mode: "no-cors", {POST}, headers: {{"Content-Type": json}}}})',
    "beacon": 'navigator.sendBeacon(url, new Blob(["{}"], {type: json}))',
}


@pytest.fixture
def elsewhere(closed: Closed) -> Iterator[str]:
    """The address of the other site, whose path says how its form is to be encoded."""
    target = f"{closed.url}/api/v1/registries/main/sync"

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = FORM.format(url=target, kind=self.path.strip("/")).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Nothing: the console is the tests'."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def answered(page: Page) -> list[Response]:
    """What the API answered."""
    found: list[Response] = []
    page.on("response", lambda response: found.append(response) if "/api/v1/" in response.url else None)
    return found


def told(answered: list[Response]) -> set[tuple[str, int]]:
    """Ways of asking and statuses. A visitor would get 401 whatever they sent: any other status says that the
    session's cookie came along."""
    return {(one.request.method, one.status) for one in answered}


def test_a_session_changes_things_from_regui_s_own_pages_and_a_form_elsewhere_does_not(
    closed: Closed, elsewhere: str, page: Page, watch: Watch, answered: list[Response]
) -> None:
    closed.enter(page, "alice", "admin")
    page.goto(f"{closed.url}/main/")
    post = f'fetch("/api/v1/registries/main/sync", {{method: "POST", headers: {{"Content-Type": "{JSON}"}}}})'
    assert page.evaluate(f"{post}.then((answer) => answer.status)") == 202
    assert told(answered) == {("POST", 202)}
    watch.expect("status 415: ")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        page.goto(f"{elsewhere}/{kind}")
        with page.expect_navigation(url="**/sync"):
            page.evaluate("document.forms[0].submit()")
        assert told(answered[1:]) == {("POST", 415)}, kind
        del answered[1:]


def test_a_script_elsewhere_changes_nothing(
    closed: Closed, elsewhere: str, page: Page, watch: Watch, answered: list[Response]
) -> None:
    closed.enter(page, "alice", "admin")
    page.goto(f"{elsewhere}/text/plain")
    watch.expect("")  # the browser says why it sends or hands on nothing
    for name, does in TRIES.items():
        script = f"""async ([url, json]) => {{
            try {{ await {does}; }} catch {{ /* it is refused */ }}
            await new Promise((go) => setTimeout(go, 500));
        }}"""
        page.evaluate(script, [f"{closed.url}/api/v1/registries/main/sync", JSON])
        assert told(answered) <= {("POST", 415), ("POST", 403), ("OPTIONS", 405), ("OPTIONS", 401)}, name
    assert ("POST", 415) in told(answered)
