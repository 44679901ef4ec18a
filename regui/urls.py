"""The site's addresses: the machines' ones first, since a registry may not be called like them."""

from django.urls import include, path

urlpatterns = [
    path("", include("regui.api.urls")),
    path("", include("regui.web.urls")),
]
