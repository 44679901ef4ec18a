"""The site's addresses: the machines' ones first, since a registry may not be called like them."""

from django.urls import include, path

urlpatterns = [
    path("", include("regui.api.urls")),
    path("", include("regui.web.urls")),
]

handler400 = "regui.web.errors.bad_request"
handler403 = "regui.web.errors.forbidden"
handler404 = "regui.web.errors.not_found"
handler429 = "regui.web.errors.too_many"
handler500 = "regui.web.errors.failed"
