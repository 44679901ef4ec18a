"""What runs somewhere, as its page tells it."""

from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from regui.accounts.access import Actor
from regui.actions.inuse import sight
from regui.actions.models import InUse, Source
from regui.actions.models.running import InUseQuerySet
from regui.index.models import Registry


@dataclass(frozen=True)
class Row:
    """An image that is told to run somewhere; once `expired`, it locks nothing."""

    use: InUse

    @property
    def expired(self) -> bool:
        return self.use.source.expires_at <= timezone.now()


@dataclass(frozen=True)
class Told:
    """A source: `held` are its images that who looks may see in this registry; `whole` says that they may
    know of all others, too."""

    source: Source
    held: int
    whole: bool

    @property
    def expired(self) -> bool:
        return self.source.expires_at <= timezone.now()


@dataclass(frozen=True)
class Teaching:
    """The commands that tell what runs."""

    registry: Registry
    site: str

    @property
    def docker(self) -> str:
        return (
            "docker ps --format '{{.Image}}' | jq -Rn '{ttl: \"1h\", images: [inputs]}' | "
            f"{self.put('my-machine')}"
        )

    @property
    def kubectl(self) -> str:
        return (
            "kubectl get pods -A -o json | jq '[.items[].status | (.containerStatuses, "
            '.initContainerStatuses)[]? | .image, .imageID] | {ttl: "1h", images: unique}\' | '
            f"{self.put('my-cluster')}"
        )

    def put(self, source: str) -> str:
        return (
            'curl -fsS -X PUT -H "Authorization: Bearer $REGUI_TOKEN" -H "Content-Type: application/json" '
            f"--data-binary @- {self.site}/api/v1/in-use/{source}"
        )


def found(actor: Actor, registry: Registry, words: str) -> InUseQuerySet:
    """What runs of the registry's repositories that this actor may see, by name, where every one of the words
    stands in it."""
    rows = sight.uses_in(actor, registry)
    for word in words.split():
        rows = rows.filter(
            Q(repository__icontains=word)
            | Q(tag__icontains=word)
            | Q(digest__icontains=word)
            | Q(source__name__icontains=word)
        )
    return rows.select_related("source").order_by("repository", "tag", "digest", "source__name")


def sources(actor: Actor, registry: Registry) -> list[Told]:
    """Who tells of it, by name."""
    rows = sight.sources_in(actor, registry)
    return [Told(row, row.held, sight.knows_all(actor, row)) for row in rows]  # type: ignore[attr-defined]
