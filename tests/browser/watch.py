"""Sees what a person would not: what the console says, what a policy blocked, what didn't load."""

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Request,
    Response,
    WebError,
)

# Said on the console too, so that whoever listens to that hears of each.
VIOLATIONS = """document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`policy: ${event.violatedDirective} forbids ${event.blockedURI}`));"""


class Watch:
    """Notes every complaint of the pages in a browser context."""

    def __init__(self, context: BrowserContext) -> None:
        self._heard: list[str] = []
        self._expected: list[str] = []
        context.add_init_script(VIOLATIONS)
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("dialog", self._dialog)
        context.on("response", self._response)
        context.on("requestfailed", self._failed)

    def expect(self, words: str) -> None:
        """Take complaints with these words as part of the test; there must be one."""
        self._expected.append(words)

    @property
    def complaints(self) -> list[str]:
        """What nobody expected, and what was expected in vain."""
        unforeseen = [one for one in self._heard if not any(words in one for words in self._expected)]
        missed = [words for words in self._expected if not any(words in one for one in self._heard)]
        return unforeseen + [f"nothing said: {words}" for words in missed]

    def _console(self, message: ConsoleMessage) -> None:
        # What failed to load is told by responses and requests, with more to go by.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            self._heard.append(f"console {message.type}: {message.text}")

    def _error(self, error: WebError) -> None:
        # A busy browser's own doing, which a page that is just being revealed can't have listened for yet.
        if "Transition was skipped" in str(error.error):
            return
        self._heard.append(f"uncaught: {error.error}")

    def _dialog(self, dialog: Dialog) -> None:
        self._heard.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self._heard.append(f"status {response.status}: {response.url}")

    def _failed(self, request: Request) -> None:
        # Aborted is what a page does itself, when a newer request or a next page makes one needless.
        if request.failure != "net::ERR_ABORTED":
            self._heard.append(f"{request.failure}: {request.url}")
