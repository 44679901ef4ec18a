"""How far the applying of events is: who is at it, and what is still to be summed up."""

from django.db import models

from regui.index.models.registries import Registry, Repository


class Inbox(models.Model):
    """A registry's waiting events: one worker at a time applies them, in order."""

    registry = models.OneToOneField(Registry, models.CASCADE, primary_key=True, related_name="inbox")
    leased_until = models.DateTimeField(null=True, help_text="until when one worker has it to itself")
    beat_at = models.DateTimeField(null=True, help_text="when a worker last looked after it")

    class Meta:
        verbose_name_plural = "inboxes"

    def __str__(self) -> str:
        return f"events of {self.registry}"


class Unsummed(models.Model):
    """That a repository's sums are older than its tags. Written with the tags, so that no crash forgets it;
    whoever brings the sums up to date takes the row away, unless it is newer than when they began."""

    repository = models.OneToOneField(Repository, models.CASCADE, primary_key=True, related_name="unsummed")
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "unsummed"

    def __str__(self) -> str:
        return str(self.repository)
