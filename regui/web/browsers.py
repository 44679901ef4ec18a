"""What a browser calls itself, in words: "Firefox on Linux". A guess: each pretends to be others, too."""

# The first whose sign is in it counts: those that pretend to be others come before them.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
HAND_HELD = frozenset({"iPhone", "iPad", "Android"})
UNKNOWN = "Unknown browser"


def words(agent: str) -> str:
    """The browser and the system that a User-Agent header speaks of."""
    browser = first(agent, BROWSERS) or UNKNOWN
    system = first(agent, SYSTEMS)
    return f"{browser} on {system}" if system else browser


def icon(agent: str) -> str:
    """The symbol of what it runs on."""
    return "smartphone" if first(agent, SYSTEMS) in HAND_HELD else "monitor"


def first(agent: str, signs: tuple[tuple[str, str], ...]) -> str:
    return next((name for sign, name in signs if sign in agent), "")
