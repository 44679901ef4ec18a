"""The small marks of a manifest that lists repeat: its kind, its platforms, what is attached to it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from regui.index.models import Manifest
from regui.web import icons

NOTHING = mark_safe("")
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Kind:
    """A kind in words; `bare` when it has no platform by nature."""

    words: str
    icon: str
    bare: bool = False


KINDS: Mapping[str, Kind] = {
    Manifest.Kind.IMAGE: Kind("Image", icon="container"),
    Manifest.Kind.INDEX: Kind("Multi-platform image", icon="container"),
    Manifest.Kind.HELM: Kind("Helm chart", icon="ship-wheel", bare=True),
    Manifest.Kind.ARTIFACT: Kind("Artifact", icon="file-box", bare=True),
    Manifest.Kind.ATTESTATION: Kind("Attestation", icon="shield-check", bare=True),
    Manifest.Kind.LEGACY: Kind("Image, schema 1", icon="container"),
}
NO_KIND = Kind("Unknown", icon="box")


@dataclass(frozen=True)
class Role:
    """Something that can be attached to a manifest, as a pill."""

    word: str
    title: str
    icon: str
    classes: str = "plain"


ROLES: Mapping[str, Role] = {
    "signature": Role(
        "signed", "A signature is attached; regui has not verified it", icon="signature", classes="ok"
    ),
    "sbom": Role("SBOM", "A software bill of materials is attached", icon="scroll-text"),
    "attestation": Role("attested", "An attestation, such as provenance, is attached", icon="shield-check"),
}


def lock(reason: str) -> SafeString:
    """A lock with the reason, for eyes on hovering; nothing without one."""
    if not reason:
        return NOTHING
    return format_html(
        '<span class="lock" title="{}">{}<span class="vh">{}</span></span>',
        f"{reason[:1].upper()}{reason[1:]}",
        icons.drawn("lock", "i-s"),
        reason,
    )


def kind_name(kind: str) -> str:
    """What kind of thing a manifest is, in words."""
    return KINDS.get(kind, NO_KIND).words


def kind_sign(kind: str) -> SafeString:
    """The sign before a name."""
    return format_html('<span class="kind">{}</span>', icons.drawn(KINDS.get(kind, NO_KIND).icon))


def runs_on(names: Sequence[str], kind: str) -> SafeString:
    """Pills of platforms; what has none by nature says what it is."""
    if names:
        return pills(tuple(names))
    known = KINDS.get(kind, NO_KIND)
    return muted(known.words if known.bare else UNKNOWN)


def platforms(names: Sequence[str], limit: int = 4) -> SafeString:
    """Pills of platforms, linux/ left out for being nearly all there is, the rest behind "+2"."""
    return pills(tuple(names), limit)


@lru_cache(maxsize=512)
def pills(names: Sequence[str], limit: int = 4) -> SafeString:
    """The same, kept: most rows have one of a few sets of platforms."""
    if not names:
        return NOTHING
    shown = [(name, name.removeprefix("linux/")) for name in names[:limit]]
    rest = [(", ".join(names[limit:]), f"+{len(names) - limit}")] if len(names) > limit else []
    found = format_html_join("", '<span class="pill" title="{}">{}</span>', shown + rest)
    return format_html('<div class="pills">{}</div>', found)


def roles(there: Collection[str]) -> SafeString:
    """Pills of what is attached."""
    found = [role for name, role in ROLES.items() if name in there]
    return format_html_join(
        "",
        '<span class="pill {}" title="{}">{}{}</span>',
        ((role.classes, role.title, icons.drawn(role.icon, "i-s"), role.word) for role in found),
    )


def muted(words: str) -> SafeString:
    """Words that stand for a value that isn't there."""
    return format_html('<span class="muted">{}</span>', words)


def coded(words: str) -> SafeString:
    """Words in which what stands between backticks is set as code."""
    parts = enumerate(words.split("`"))
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", one) if at % 2 else one,) for at, one in parts)
    )
