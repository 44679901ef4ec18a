"""One manifest as its page shows it. A tab that isn't open costs nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.urls import reverse

from regui import oci
from regui.index import fetch, graph
from regui.index.fetch import referring
from regui.index.models import Manifest, Repository, Revision
from regui.web import attached, dockerfile, facts, platforms, pulled, pulls, rawjson
from regui.web.catalog import namespace
from regui.web.layers import Layer, layers
from regui.web.platforms import Line

Kind = Manifest.Kind

# How many of a digest's other tags the head names, and the longest document a button copies.
TAGS, COPIED = 12, 64 * 1024


@dataclass(frozen=True)
class Tab:
    """A tab; `count` is None where a number would say nothing."""

    name: str
    label: str
    icon: str
    count: int | None = None


@dataclass(frozen=True)
class Shown:
    """A JSON document: its text to copy (empty when long), and as HTML; `reading` is how that went."""

    title: str
    media_type: str
    size: int
    text: str
    html: str
    reading: fetch.Reading | None = None


@dataclass(frozen=True)
class Pulls:
    """Commands that fetch one thing."""

    title: str
    note: str
    commands: Sequence[pulls.Command]


@dataclass
class Detail:
    """A manifest, seen through a tag or by its digest. `shown` is the image whose layers and config the page
    shows: itself, or the one of an index that was chosen; None when there is none, or when it could not be
    read."""

    repository: Repository
    manifest: Manifest
    tag: str = ""
    shown: Manifest | None = None
    asked: str = ""

    @cached_property
    def document(self) -> oci.Document:
        return self.manifest.document

    # The head

    @property
    def namespace(self) -> str:
        return namespace(self.repository.name)

    @cached_property
    def roles(self) -> frozenset[str]:
        """What is attached to it: signature, sbom, attestation, as far as the index knows."""
        found = frozenset(one.role for one in self.known)
        return found | {"attestation"} if self.attestations else found

    @cached_property
    def known(self) -> list[fetch.Referrer]:
        return referring.remembered(self.repository, self.manifest)

    @cached_property
    def other_tags(self) -> list[str]:
        """The visible tags of this repository on the same digest, but for the one the page is about."""
        found = self.repository.tags.visible().filter(manifest=self.manifest).exclude(name=self.tag)
        return list(found.order_by("name").values_list("name", flat=True))

    @property
    def tags(self) -> list[str]:
        return self.other_tags[:TAGS]

    @property
    def more_tags(self) -> int:
        return len(self.other_tags[TAGS:])

    @cached_property
    def parents(self) -> list[Manifest]:
        """The indexes of this repository that contain it."""
        held = Revision.objects.held().filter(repository=self.repository).values("manifest")
        return list(Manifest.objects.filter(children__manifest=self.manifest, pk__in=held).distinct())

    @property
    def reference(self) -> str:
        """What follows the name in a pull command."""
        return f":{self.tag}" if self.tag else f"@{self.manifest.digest}"

    @property
    def pull(self) -> str:
        return pulls.primary(
            self.repository.registry, self.repository.name, self.manifest.kind, self.reference
        )

    @property
    def claimed(self) -> str:
        """The date its config gives, sane or not."""
        config = config_of(self.manifest)
        return config.claimed_created if config else ""

    @property
    def span(self) -> pulled.Span | None:
        """The days that pulls are counted over, where they are known at all."""
        return pulled.span(self.repository.registry)

    @property
    def pulled(self) -> list[pulled.Pulls]:
        """How often it was pulled by its tag, and by its digest."""
        if (span := self.span) is None:
            return []
        of_digest = pulled.of_digest(self.repository, self.manifest.digest, span)
        return [pulled.of_tag(self.repository, self.tag, span), of_digest] if self.tag else [of_digest]

    # The tabs

    @cached_property
    def only_here(self) -> int | None:
        """The bytes that deleting it could free; None when a size isn't known."""
        return None if self.manifest.size is None else graph.only_here(self.repository, self.manifest)

    @cached_property
    def tabs(self) -> list[Tab]:
        """Those that apply."""
        found: list[Tab] = []
        if isinstance(self.document, oci.Index):
            found.append(Tab("platforms", "Platforms", "list-tree", len(self.children)))
        if self.shown is not None:
            found += image_tabs(self.shown, len(self.layers))
        elif isinstance(self.document, oci.Manifest):
            found.append(Tab("files", "Files", "file-box", len(self.layers)))
            if self.facts:
                found.append(
                    Tab("config", "Chart" if self.manifest.kind == Kind.HELM else "Config", "scroll-text")
                )
        found.append(
            Tab("referrers", "Referrers", "paperclip", (len(self.known) + len(self.attestations)) or None)
        )
        found += [Tab("raw", "Raw", "braces"), Tab("pull", "Pull", "terminal")]
        return found

    @property
    def tab(self) -> str:
        """The open tab: the one asked for, when it applies, else the first."""
        return self.asked if self.asked in {tab.name for tab in self.tabs} else self.tabs[0].name

    @property
    def template(self) -> str:
        return f"manifests/tabs/{self.tab}.html"

    # What an index lists

    @cached_property
    def lines(self) -> list[Line]:
        return platforms.lines(self.repository, self.manifest, self.document)

    @property
    def children(self) -> list[Line]:
        return [line for line in self.lines if not line.attestation]

    @property
    def attestations(self) -> list[Line]:
        return [line for line in self.lines if line.attestation]

    @cached_property
    def attached(self) -> attached.Attachments:
        """What refers to it; asks the registry."""
        return attached.to(self.repository, self.manifest, self.lines)

    @property
    def switch(self) -> list[Line]:
        """The images of an index to choose from, where the open tab is about one of them."""
        return platforms.choices(self.lines) if self.tab in {"layers", "config", "history"} else []

    # What an image or an artifact says

    @property
    def subject(self) -> Manifest:
        """The manifest that layers and config are of."""
        return self.shown or self.manifest

    @cached_property
    def config(self) -> oci.Config | None:
        return config_of(self.subject)

    @cached_property
    def layers(self) -> list[Layer]:
        return layers(self.subject.document, self.config.history if self.config else ())

    @property
    def largest(self) -> int:
        return max((layer.size or 0 for layer in self.layers), default=0)

    @property
    def layers_size(self) -> int | None:
        sizes = [layer.size for layer in self.layers]
        return None if None in sizes else sum(size or 0 for size in sizes)

    @cached_property
    def facts(self) -> list[facts.Fact]:
        if self.subject.kind == Kind.IMAGE and self.config:
            return facts.of_config(self.config)
        return facts.of_chart(self.subject.content.config)

    @property
    def variables(self) -> list[tuple[str, str]]:
        return facts.variables(self.config.env) if self.config else []

    @property
    def labels(self) -> list[tuple[str, str]]:
        return sorted(self.config.labels.items()) if self.config else []

    @property
    def annotations(self) -> list[tuple[str, str]]:
        document = self.subject.document if self.tab == "config" else self.document
        return [] if isinstance(document, oci.Legacy) else sorted(document.annotations.items())

    @property
    def steps(self) -> list[dockerfile.Step]:
        return dockerfile.steps(self.config.history) if self.config else []

    # Raw, and how to fetch it

    @property
    def documents(self) -> list[Shown]:
        """The manifest and, when it was read, its config, for which the registry may have to be asked."""
        found = [self.shown_json("Manifest", self.manifest.media_type, self.manifest.content.manifest)]
        if self.manifest.content.config_deflated:
            config, reading = fetch.config(self.repository, self.manifest)
            title = "Kept of the config" if reading.problem else "Config"
            found.append(self.shown_json(title, "", config, reading))
        return found

    def shown_json(
        self, title: str, media_type: str, body: bytes, reading: fetch.Reading | None = None
    ) -> Shown:
        text = rawjson.pretty(body) if len(body) < COPIED else ""
        return Shown(title, media_type, len(body), text, rawjson.linked(body, self.address), reading)

    def address(self, digest: str) -> str:
        """Where a digest found in this manifest leads: a layer to its row, the config to its tab, else a
        manifest."""
        if isinstance(self.document, oci.Manifest):
            names = {tab.name for tab in self.tabs}
            if digest in {layer.digest for layer in self.document.layers}:
                return f"?tab={'layers' if 'layers' in names else 'files'}#{oci.Digest(digest).short}"
            if self.document.config and digest == self.document.config.digest:
                return "?tab=config" if "config" in names else ""
        return reverse("manifest", args=[self.repository.registry.name, self.repository.name, digest])

    @property
    def pulls(self) -> list[Pulls]:
        """The commands by tag, and by the digest that can't move."""
        registry, name, kind = self.repository.registry, self.repository.name, self.manifest.kind
        digest = pulls.commands(registry, name, kind, f"@{self.manifest.digest}")
        found = [Pulls("By digest", "always this very content", digest)]
        if self.tag:
            tag = pulls.commands(registry, name, kind, f":{self.tag}")
            found.insert(0, Pulls("By tag", "whatever the tag is on by then", tag))
        return found

    @property
    def host(self) -> str:
        return pulls.host(self.repository.registry)

    @property
    def insecure(self) -> bool:
        return pulls.needs_insecure(self.repository.registry)


def of(repository: Repository, manifest: Manifest, tag: str, query: Mapping[str, str]) -> Detail:
    """The page of a manifest, with the tab and, for an index, the platform that a query string asks for."""
    detail = Detail(repository, manifest, tag, asked=query.get("tab", ""))
    if manifest.kind in {Kind.IMAGE, Kind.LEGACY}:
        detail.shown = manifest
    elif manifest.kind == Kind.INDEX:
        chosen = platforms.choose(detail.lines, query.get("platform", ""))
        detail.shown = chosen.manifest if chosen and chosen.manifest.read_at else None
    return detail


def image_tabs(image: Manifest, count: int) -> list[Tab]:
    """The tabs about an image; config and history only where its config was read."""
    config = config_of(image)
    found = [Tab("layers", "Layers", "layers", count)]
    if config:
        found.append(Tab("config", "Config", "settings"))
    if config and config.history:
        found.append(Tab("history", "History", "history"))
    return found


def config_of(manifest: Manifest) -> oci.Config | None:
    """An image's config; None when it has none, or it can't be understood."""
    if manifest.kind != Kind.IMAGE or not manifest.content.config_deflated:
        return None
    try:
        return oci.Config.parse(manifest.content.config_bytes)
    except oci.Malformed:
        return None
