"""That the other tests here could fail: what they watch for is noticed on pages made to be wrong."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.looks import Looks
from tests.browser.watch import Watch

PATIENCE = 15  # seconds
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'"
SOUND = '<!doctype html><html lang="en"><title>Sound</title><main><h1>Sound</h1>{}</main></html>'
SCRIPT = SOUND.format('<script src="/script.js"></script>')
# A page for each fault, or the script it runs: what the watch has to say of it.
FAULTS = {
    SOUND.format('<p style="color: red">Red</p>'): "policy: style-src-attr forbids inline",
    SOUND.format("<style>p {}</style>"): "policy: style-src-elem forbids inline",
    SOUND.format("<script>alert(1)</script>"): "policy: script-src-elem forbids inline",
    # Chromium complains of a handler only once it would run.
    SOUND.format('<img alt="" src="/missing.png" onerror="alert(1)">'): "policy: script-src-attr forbids",
    SOUND.format('<img alt="" src="//elsewhere.test/">'): "policy: img-src forbids http://elsewhere.test",
    SOUND.format('<img alt="" src="/missing.png">'): "status 404: ",
    "console.error('broken')": "console error: broken",
    "console.warn('old')": "console warning: old",
    "throw new Error('thrown')": "uncaught: thrown",
    "Promise.reject(new Error('rejected'))": "uncaught: rejected",
    "alert('hello')": "dialog: hello",
    "eval('1')": "policy: script-src forbids eval",
}


class Wrong(ThreadingHTTPServer):
    """Serves one page, and one script, each whatever a test wants it to be."""

    page, script = SOUND.format(""), ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class Answers(BaseHTTPRequestHandler):
    server: Wrong

    def do_GET(self) -> None:
        found = {"/": (self.server.page, "text/html"), "/script.js": (self.server.script, "text/javascript")}
        body, kind = found.get(self.path, ("", "text/plain"))
        self.send_response(404 if self.path == "/missing.png" else 200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args: object) -> None:
        """Nothing: the tests say what matters."""


@pytest.fixture
def wrong() -> Iterator[Wrong]:
    """A server of pages that are wrong."""
    with Wrong() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("fault", FAULTS, ids=FAULTS.values())
def test_a_page_that_misbehaves_is_noticed(
    wrong: Wrong, page: Page, context: BrowserContext, watch: Watch, fault: str
) -> None:
    if fault.startswith("<"):
        wrong.page = fault
    else:
        wrong.page, wrong.script = SCRIPT, fault
    second = Watch(context)
    page.goto(wrong.url, wait_until="networkidle")
    deadline = time.monotonic() + PATIENCE
    while not any(FAULTS[fault] in one for one in second.complaints):
        assert time.monotonic() < deadline, second.complaints
        page.wait_for_timeout(20)  # milliseconds; what a browser has to say may come a little later
    watch.expect("")  # all that came was meant to come


def test_a_complaint_that_was_expected_must_come(context: BrowserContext) -> None:
    second = Watch(context)
    second.expect("status 404: ")
    assert second.complaints == ["nothing said: status 404: "]


LIGHT, DARK = {"1280 light", "390 light"}, {"1280 dark", "390 dark"}
PALE = '<p style="color-scheme: light dark; color: light-dark({}); background: light-dark({})">Pale</p>'


@pytest.mark.parametrize(
    ("body", "fault", "seen"),
    [
        ('<img src="/sound.png">', "image-alt: <img", LIGHT),
        ("<button></button>", "button-name: <button>", LIGHT),
        (PALE.format("#bbb, #fff", "#fff, #000"), "color-contrast: <p", LIGHT),
        (PALE.format("#000, #444", "#fff, #333"), "color-contrast: <p", DARK),
        ('<p style="min-width: 2000px">Wide</p>', "scrolls sideways: ", LIGHT | DARK),
        ('<p style="min-width: 600px">Wide</p>', "scrolls sideways: ", {"390 light", "390 dark"}),
    ],
)
def test_a_page_that_looks_wrong_is_noticed(
    page: Page, tmp_path: Path, body: str, fault: str, seen: set[str]
) -> None:
    page.set_content(SOUND.format(body))
    faults = Looks(tmp_path).faults(page, "wrong")
    assert {one.partition(": ")[0] for one in faults if fault in one} == seen, faults
    assert len(list(tmp_path.glob("*.png"))) == len(seen), "a picture of each look that is wrong"


def test_a_sound_page_is_not_objected_to(wrong: Wrong, page: Page, tmp_path: Path) -> None:
    page.goto(wrong.url)
    assert Looks(tmp_path).faults(page, "sound") == []
