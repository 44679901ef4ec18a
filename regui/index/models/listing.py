"""What people could list with credentials of their own."""

from django.db import models


class Listing(models.Model):
    """A repository that somebody's credentials could list, or weren't allowed to; names, for it says nothing
    about the index. An empty name stands for the whole list."""

    bearer = models.CharField(max_length=64, help_text="whose, as `bearing.Bearer.id`")
    registry = models.CharField(max_length=32)
    name = models.CharField(max_length=255, blank=True)
    at = models.DateTimeField(db_index=True, help_text="when it was last listed")
    tested_at = models.DateTimeField(null=True, help_text="when its tags were last asked for")
    refused = models.BooleanField(default=False, help_text="the last such answer was a refusal")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bearer", "registry", "name"], name="listing_once")]

    def __str__(self) -> str:
        return f"{self.registry}/{self.name}"
