"""What a registry's tags need, over all repositories: kept, since no page could wait for it to be summed."""

from django.db import models

from regui.index.models.registries import Registry


class Storage(models.Model):
    """A registry's sums as they were when last settled. Bytes of blobs, each counted once."""

    registry = models.OneToOneField(Registry, models.CASCADE, primary_key=True, related_name="storage")
    as_of = models.DateTimeField(help_text="when the settling began: what came later isn't in it")
    seconds = models.FloatField(help_text="how long the settling took")
    size = models.PositiveBigIntegerField(help_text="bytes that any manifest known to lie there needs")
    tagged = models.PositiveBigIntegerField(help_text="of these, bytes that a tag reaches")
    loose = models.PositiveBigIntegerField(
        default=0, help_text="of these, bytes that no tag reaches, and that belong to nothing a tag reaches"
    )
    apart = models.PositiveBigIntegerField(
        help_text="what the visible tags would take if each had its bytes to itself"
    )
    untagged = models.PositiveIntegerField(help_text="manifests that `loose` is about")
    repositories = models.PositiveIntegerField()
    empty = models.PositiveIntegerField(help_text="of these, repositories without a tag")
    unread = models.PositiveIntegerField(help_text="of these, repositories whose tags were never listed")
    unsized = models.PositiveIntegerField(help_text="of these, repositories whose size isn't known")
    tags = models.PositiveIntegerField(help_text="visible tags in the repositories that were read")
    images = models.PositiveIntegerField(help_text="different digests with a visible tag")
    kinds = models.JSONField(default=list, help_text="Manifest.Kind of the repositories' newest tags")

    def __str__(self) -> str:
        return f"{self.registry}: {self.size}"


class Namespace(models.Model):
    """What the repositories come to whose names begin alike; `name` is empty for those without a slash."""

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="namespaces")
    name = models.CharField(max_length=255, blank=True)
    size = models.PositiveBigIntegerField(help_text="bytes that its visible tags reach, each blob once")
    repositories = models.PositiveIntegerField()
    tags = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["registry", "name"], name="namespace_name")]

    def __str__(self) -> str:
        return f"{self.registry}/{self.name}/"


class Layer(models.Model):
    """One of a registry's largest or most shared blobs, as far as tags reach them."""

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="layers")
    digest = models.CharField(max_length=140)
    size = models.PositiveBigIntegerField(help_text="bytes, compressed")
    repositories = models.PositiveIntegerField(help_text="how many repositories' tags reach it")
    names = models.JSONField(default=list, help_text="some of those repositories, by name")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["registry", "digest"], name="layer_digest")]

    def __str__(self) -> str:
        return self.digest
