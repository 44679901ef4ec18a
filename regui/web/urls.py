"""The pages' addresses. `/-/` stands where a repository's name ends, and before the site's own pages."""

from django.urls import path

from regui.web import converters  # noqa: F401 — registers the converters used below
from regui.web.views import (
    actions,
    changes,
    copies,
    history,
    jobs,
    manifests,
    names,
    registries,
    repositories,
    search,
    settings,
    storage,
    tags,
    theme,
    trash,
)

urlpatterns = [
    path("", registries.index, name="home"),
    path("-/activity/", actions.activity, name="activity"),
    path("-/actions/<slug:pk>/", actions.detail, name="action"),
    path("-/actions/<slug:pk>/undo/", changes.take_back, name="action-undo"),
    path("-/actions/<slug:pk>/stop/", changes.stop, name="action-stop"),
    path("-/jobs/", jobs.index, name="jobs"),
    path("-/jobs/<reg:registry>/read/", jobs.read, name="jobs-read"),
    path("-/jobs/<reg:registry>/believe/", jobs.believe, name="jobs-believe"),
    path("-/search/", search.page, name="search"),
    path("-/settings/", settings.index, name="settings"),
    path("-/theme/", theme.change, name="theme"),
    path("<reg:registry>/", repositories.index, name="registry"),
    path("<reg:registry>/-/settings/secret/", settings.make_secret, name="events-secret"),
    path("<reg:registry>/-/settings/names/", names.index, name="names"),
    path("<reg:registry>/-/settings/names/add/", names.add, name="names-add"),
    path("<reg:registry>/-/settings/names/remove/", names.remove, name="names-remove"),
    path("<reg:registry>/-/storage/", storage.index, name="storage"),
    path("<reg:registry>/-/trash/", trash.index, name="trash"),
    path("<reg:registry>/<repo:name>/-/tags/<tag:tag>/", tags.detail, name="tag"),
    path("<reg:registry>/<repo:name>/-/manifests/<digest:digest>/", manifests.detail, name="manifest"),
    path("<reg:registry>/<repo:name>/-/tags/<tag:tag>/delete/", changes.delete_tag, name="tag-delete"),
    path(
        "<reg:registry>/<repo:name>/-/manifests/<digest:digest>/delete/",
        changes.delete_manifest,
        name="manifest-delete",
    ),
    path("<reg:registry>/<repo:name>/-/tags/<tag:tag>/copy/", copies.copy_tag, name="tag-copy"),
    path(
        "<reg:registry>/<repo:name>/-/manifests/<digest:digest>/copy/",
        copies.copy_manifest,
        name="manifest-copy",
    ),
    path("<reg:registry>/<repo:name>/-/manifests/<digest:digest>/tag/", changes.set_tag, name="manifest-tag"),
    path(
        "<reg:registry>/<repo:name>/-/manifests/<digest:digest>/restore/",
        changes.restore,
        name="manifest-restore",
    ),
    path("<reg:registry>/<repo:name>/-/bulk/", changes.bulk, name="bulk"),
    path("<reg:registry>/<repo:name>/-/delete/", changes.delete_repository, name="repository-delete"),
    path("<reg:registry>/<repo:name>/-/untagged/delete/", changes.delete_untagged, name="untagged-delete"),
    path("<reg:registry>/<repo:name>/-/history/", history.index, name="history"),
    path("<reg:registry>/<repo:name>/", repositories.detail, name="repository"),
]
