"""The address book: registries that people added on a page."""

from typing import Self

from django.conf import settings
from django.db import models


class EntryQuerySet(models.QuerySet["Entry"]):
    def in_use(self) -> Self:
        """Those that say where a registry is: nobody hid them, and the environment names no registry so."""
        return self.filter(hidden=False).exclude(name__in=settings.REGISTRIES)


class Entry(models.Model):
    """How to reach one registry, as a person entered it; it belongs to the `Registry` of the same name."""

    name = models.CharField(max_length=32, unique=True)
    url = models.CharField(max_length=500)
    username = models.CharField(max_length=255, blank=True)
    password = models.TextField(blank=True, help_text="sealed")
    verify = models.BooleanField(default=True)
    ca = models.TextField(blank=True, help_text="certificates to trust instead of the system's, in PEM")
    cert = models.TextField(blank=True, help_text="a client certificate, in PEM")
    key = models.TextField(blank=True, help_text="sealed; its private key, in PEM")
    pull_host = models.CharField(max_length=255, blank=True)
    own = models.BooleanField(default=False, help_text="people show it credentials of their own")
    hidden = models.BooleanField(default=False, help_text="taken off the pages; nothing is forgotten")
    added_by = models.CharField(max_length=255)
    added_at = models.DateTimeField()
    changed_by = models.CharField(max_length=255)
    changed_at = models.DateTimeField()

    objects = EntryQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        return self.name
