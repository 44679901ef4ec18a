"""The addresses for machines."""

from django.urls import path

from regui.api import events, health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("hooks/<str:registry>", events.receive, name="hooks"),
]
