from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import import_string


class IndexConfig(AppConfig):
    name = "regui.index"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # By name: what it is made of can't be imported before the apps are ready.
        post_migrate.connect(import_string("regui.index.search.trigrams.ensure"), sender=self)
