from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import import_string


class IndexConfig(AppConfig):
    name = "regui.index"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # By name: what it is made of can't be imported before the apps are ready.
        for module in ("trigrams", "facets"):
            ensure = import_string(f"regui.index.search.{module}.ensure")
            post_migrate.connect(ensure, sender=self, dispatch_uid=module)
