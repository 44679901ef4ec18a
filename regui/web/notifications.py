"""How a registry is told to send its notifications here, and whether they come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from regui.index import book, names
from regui.index.models import Event, Registry
from regui.registries import RegistrySettings

PLACEHOLDER = "<secret>"
# More than that isn't counted.
MANY = 10_000
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Line:
    """A line of a registry's configuration and why it is there, for those that need a reason."""

    text: str
    reason: str = ""


@dataclass(frozen=True)
class Recipe:
    """What to add to the configuration of a registry of some version."""

    versions: str
    lines: Sequence[Line]

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines) + "\n"

    @property
    def reasons(self) -> list[Line]:
        """The lines that have one, without their indentation."""
        return [Line(line.text.strip(" -"), line.reason) for line in self.lines if line.reason]


@dataclass(frozen=True)
class Setup:
    """One registry's notifications. `secret` is in the clear only in the answer to making it; `given` says
    that the settings hold one, in the variable `variable`."""

    registry: Registry
    address: str
    secret: str = ""

    @property
    def record(self) -> RegistrySettings | None:
        return book.given(self.registry.name)

    @property
    def given(self) -> bool:
        return bool(self.record and self.record.events_token)

    @property
    def variable(self) -> str:
        return f"{self.record.prefix if self.record else ''}_EVENTS_TOKEN"

    @property
    def entered(self) -> int:
        """How many repositories people have named by hand."""
        return len(names.entered(self.registry))

    @property
    def names_given(self) -> int:
        """How many the settings name."""
        return len(names.given(self.registry))

    @property
    def made(self) -> bool:
        return bool(self.registry.events_token)

    @property
    def recipes(self) -> list[Recipe]:
        secret = self.secret or PLACEHOLDER
        return [
            Recipe("2.x", lines(self.address, secret, ("ignoredmediatypes: [application/octet-stream]",))),
            Recipe(
                "3.x", lines(self.address, secret, ("ignore:", "  mediatypes: [application/octet-stream]"))
            ),
        ]

    @property
    def waiting(self) -> int:
        """How many events came in and aren't applied yet."""
        return Event.objects.filter(registry=self.registry.name, applied_at=None)[:MANY].count()

    @property
    def today(self) -> int:
        """How many events came in within a day, up to `MANY`."""
        recent = Event.objects.filter(received_at__gt=timezone.now() - DAY, registry=self.registry.name)
        return recent.order_by()[:MANY].count()

    @property
    def many(self) -> int:
        return MANY


def lines(address: str, secret: str, ignored: Sequence[str]) -> list[Line]:
    """The configuration's part on notifications."""
    noise = "Without it every layer that is pushed or pulled is an event too; regui has no use for those."
    return [
        Line("notifications:"),
        Line("  endpoints:"),
        Line("    - name: regui", "Any name: the registry's log calls the endpoint by it."),
        Line(
            f"      url: {address}",
            "Where regui takes events, as the registry reaches it: at REGUI_EVENTS_URL, REGUI_URL, or "
            "where you found this page.",
        ),
        Line("      headers:"),
        Line(
            f'        Authorization: ["Bearer {secret}"]',
            "How regui knows that events are this registry's. Nobody without the secret can send any.",
        ),
        Line(
            "      timeout: 1s",
            "regui answers in milliseconds. The registry sends one event at a time, so one that hangs holds "
            "up all others.",
        ),
        Line("      threshold: 3", "So many failures in a row, and the registry pauses."),
        Line("      backoff: 2s", "That long; then it tries again, for ever, and sends what has piled up."),
        *(
            Line(f"      {text}", noise if at == len(ignored) else "")
            for at, text in enumerate(ignored, start=1)
        ),
    ]


def address(request: HttpRequest, registry: Registry) -> str:
    """Where the registry finds us: at `REGUI_EVENTS_URL`, at `REGUI_URL`, or where the visitor did."""
    path, known = reverse("hooks", args=[registry.name]), settings.EVENTS_URL or settings.URL
    parts = urlsplit(known)
    return f"{parts.scheme}://{parts.netloc}{path}" if known else request.build_absolute_uri(path)


def setup(request: HttpRequest, registry: Registry, secret: str = "") -> Setup:
    """What the settings page shows of a registry."""
    return Setup(registry, address(request, registry), secret)
