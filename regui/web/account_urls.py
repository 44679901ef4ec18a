"""The addresses below `-/account/`: those of django-allauth's views that have a use here, under the names it
goes by, and our own. What isn't named here can't be reached: nobody signs up, or manages addresses."""

from collections.abc import Callable

from allauth.account import views as allauth
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.http import HttpResponseBase
from django.urls import path
from django.views.decorators.cache import never_cache

from regui.accounts import people
from regui.web.views import account, first, passkeys, passwords

sign_in = allauth.LoginView.as_view(extra_context={"nobody": people.nobody})
sign_out = allauth.LogoutView.as_view(http_method_names=["post"])

PAGES: list[tuple[str, str, Callable[..., HttpResponseBase]]] = [
    ("", "account", account.index),
    # Where allauth leads to after a change.
    ("", "mfa_index", account.index),
    ("", "mfa_list_webauthn", account.index),
    ("sign-in/", "account_login", sign_in),
    ("sign-in/passkey/", "mfa_login_webauthn", passkeys.sign_in),
    ("sign-in/second/", "mfa_authenticate", factors.authenticate),
    ("sign-out/", "account_logout", sign_out),
    ("disabled/", "account_inactive", allauth.account_inactive),
    ("confirm/", "account_reauthenticate", allauth.reauthenticate),
    ("confirm/code/", "mfa_reauthenticate", factors.reauthenticate),
    ("confirm/passkey/", "mfa_reauthenticate_webauthn", webauthn.reauthenticate_webauthn),
    ("first/", "first", first.make),
    ("first/<str:secret>/", "first-arrive", first.arrive),
    ("password/", "account_change_password", passwords.change),
    ("password/set/", "password-link", passwords.link),
    ("password/set/<slug:number>/<slug:token>/", "password-arrive", passwords.arrive),
    ("sessions/<int:pk>/end/", "session-end", account.end_session),
    ("sessions/end/", "sessions-end", account.end_others),
    ("app/add/", "mfa_activate_totp", totp.activate_totp),
    ("app/remove/", "mfa_deactivate_totp", totp.deactivate_totp),
    ("codes/", "mfa_view_recovery_codes", codes.view_recovery_codes),
    ("codes/new/", "mfa_generate_recovery_codes", codes.generate_recovery_codes),
    ("passkeys/add/", "mfa_add_webauthn", passkeys.add),
    ("passkeys/<int:pk>/name/", "mfa_edit_webauthn", webauthn.edit_webauthn),
    ("passkeys/<int:pk>/remove/", "mfa_remove_webauthn", webauthn.remove_webauthn),
]

# What they show is of the moment and of one person; some of it is shown once.
urlpatterns = [path(route, never_cache(view), name=name) for route, name, view in PAGES]
