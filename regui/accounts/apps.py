from django.apps import AppConfig
from django.utils.module_loading import import_string


class AccountsConfig(AppConfig):
    name = "regui.accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # By name: what it is made of can't be imported before the apps are ready.
        import_string("regui.accounts.signals.listen")()
