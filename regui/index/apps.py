from django.apps import AppConfig


class IndexConfig(AppConfig):
    name = "regui.index"
    default_auto_field = "django.db.models.BigAutoField"
