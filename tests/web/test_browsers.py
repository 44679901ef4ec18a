"""What browsers call themselves, in words."""

import pytest

from regui.web import browsers

SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"


@pytest.mark.parametrize(
    ("agent", "words", "icon"),
    [
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36", "Chrome on Windows", "monitor"),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/142.0.0.0",
            "Edge on Windows",
            "monitor",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Linux",
            "monitor",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 16; Pixel 9) {CHROME} Mobile Safari/537.36",
            "Chrome on Android",
            "smartphone",
        ),
        (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {SAFARI}",
            "Safari on iPhone",
            "smartphone",
        ),
        (
            f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {SAFARI.replace('Mobile/15E148 ', '')}",
            "Safari on macOS",
            "monitor",
        ),
        ("curl/8.14.1", "curl", "monitor"),
        ("", "Unknown browser", "monitor"),
    ],
)
def test_a_browser_is_told_with_what_it_runs_on(agent: str, words: str, icon: str) -> None:
    assert (browsers.words(agent), browsers.icon(agent)) == (words, icon)
