"""What a person waits for in Chromium: rows of a large repository, and what is left after the last key.

    python -m bench.browser /tmp/bench --tags 50000 --repositories 1000 --largest 10000

Times are the page's own clock. A cold browser has nothing of the site in its cache.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, sync_playwright

from bench import pages, site, stage, synthetic
from bench.figures import Figure, at_most, table
from bench.synthetic import Shape

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--no-proxy-server", "--disable-background-networking")
COLD, TYPED = 11, 21
SMALL = 10  # tags of the repository to compare with
KEYS = 30  # milliseconds between two keys of a quick typist
PATIENCE = 15_000  # milliseconds

# Notes when the first row was painted that has a name, a size and a date; and, after a key, when the row that
# is wanted was painted.
WATCH = """
(() => {
  const painted = (done) => requestAnimationFrame(() => setTimeout(done));
  const whole = () => {
    const row = document.querySelector("#results tr[data-tag], #results [data-tag]");
    return row && document.querySelector("#results time") && /\\d\\s?[kMG]?B/.test(document.body.textContent);
  };
  const watch = () => {
    if (window.rowsAt === undefined && whole()) {
      window.rowsAt = null;
      painted(() => { window.rowsAt = performance.now(); });
    }
    if (window.wanted && window.foundAt === undefined && document.querySelector(window.wanted)
        && document.querySelectorAll(window.rows).length <= window.most) {
      window.foundAt = null;
      painted(() => { window.foundAt = performance.now(); });
    }
  };
  new MutationObserver(watch).observe(document, { childList: true, subtree: true });
  document.addEventListener("input", (event) => {
    window.keyAt = event.timeStamp; window.foundAt = undefined;
  }, true);
})();
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's browser, without a window."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=[*ARGUMENTS])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Browser, url: str) -> Iterator[Page]:
    """A page in a browser that has never been there."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True)
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(url)
    try:
        yield page
    finally:
        context.close()


def rows(browser: Browser, url: str) -> float:
    """Milliseconds from asking for a page until its rows are painted."""
    with opened(browser, url) as page:
        page.wait_for_function("window.rowsAt > 0", timeout=PATIENCE)
        return float(page.evaluate("window.rowsAt"))


def typed(page: Page, text: str, attribute: str, value: str) -> float:
    """Milliseconds from the last key of `text` in the filter until a row with this value is painted, and no
    more than a page of rows."""
    field = page.locator("#filter input[type=search]")
    field.fill("")
    page.wait_for_timeout(300)
    page.evaluate(
        "([rows, wanted, most]) => Object.assign(window, { rows, wanted, most, foundAt: undefined })",
        [f"#results [{attribute}]", f'#results [{attribute}="{value}"]', 20],
    )
    field.press_sequentially(text, delay=KEYS)
    page.wait_for_function("window.foundAt > 0", timeout=PATIENCE)
    return float(page.evaluate("window.foundAt - window.keyAt"))


def measure(folder: Path, shape: Shape) -> list[Figure]:
    """Cold visits of a large and a small repository in turns, then the filters of both lists."""
    here = stage.Stage(folder / f"pages-{shape.tags}", shape)
    data, base = pages.filled(here), f"/{stage.NAME}/"
    large = synthetic.name(0)
    small = next(name for name, tags, _ in synthetic.plan(shape) if SMALL // 2 <= tags <= SMALL * 2)
    with here.registry() as registry:
        environs = pages.ours(pages.settings(data, registry))
        with site.running(data, "serve", "--no-worker", **environs) as server, chromium() as browser:
            for name in (large, small):
                site.Visitor(server.url).get(f"{base}{name}/")
            asked = len(registry.requests())
            found: dict[str, list[float]] = {large: [], small: []}
            for _ in range(COLD):
                for name, times in found.items():
                    times.append(rows(browser, f"{server.url}{base}{name}/"))
            asked = len(registry.requests()) - asked
            repositories = filtered_repositories(browser, f"{server.url}{base}", shape)
            tags = filtered_tags(browser, f"{server.url}{base}{large}/", shape)
    ratio = median(found[large]) / median(found[small])
    detail = f"{median(found[large]):.0f} ms ÷ {median(found[small]):.0f} ms"
    cold = at_most(f"cold Chromium: {shape.largest:,} tags ÷ {SMALL} tags", ratio, 1.3, "", 2)
    return [
        Figure(cold.what, f"{cold.found} ({detail})", cold.must, cold.met),
        Figure("requests to the registry when fresh", str(asked), "0", asked == 0),
        at_most(
            f"filter as you type, {shape.repositories:,} repositories", median(repositories), 60, "ms", 0
        ),
        at_most(f"filter as you type, {shape.largest:,} tags", median(tags), 60, "ms", 0),
    ]


def filtered_repositories(browser: Browser, url: str, shape: Shape) -> list[float]:
    """Milliseconds for names from all over the registry."""
    with opened(browser, url) as page:
        step = max(shape.repositories // TYPED, 1)
        names = [synthetic.name(number) for number in range(0, shape.repositories, step)]
        return [typed(page, name, "data-repository", name) for name in names[:TYPED]]


def filtered_tags(browser: Browser, url: str, shape: Shape) -> list[float]:
    """Milliseconds for tags from all over the largest repository."""
    with opened(browser, url) as page:
        step = max(shape.largest // TYPED // 5, 1) * 5  # every fifth tag has a commit in its name
        tags = [synthetic.tag(number, shape.largest) for number in range(1, shape.largest, step)]
        return [typed(page, tag, "data-tag", tag) for tag in tags[:TYPED]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tags", type=int, default=50_000)
    parser.add_argument("--repositories", type=int, default=1_000)
    parser.add_argument("--largest", type=int, default=10_000)
    options = parser.parse_args()
    print(table(measure(options.folder, Shape(options.repositories, options.tags, largest=options.largest))))


if __name__ == "__main__":
    main()
