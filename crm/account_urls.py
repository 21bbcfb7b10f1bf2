"""The account pages of allauth that are open here.

Its others stay shut: e-mail addresses are the administrators' to keep, since by them one gets a new password and a
company account finds its person; and nobody signs in by a code of an e-mail.
"""

from allauth.account import views
from allauth.mfa.recovery_codes.views import view_recovery_codes
from django.urls import include, path, re_path
from django.views.decorators.cache import never_cache

from crm.views import security

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("signup/", views.signup, name="account_signup"),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("password/change/", views.password_change, name="account_change_password"),
    path("password/set/", views.password_set, name="account_set_password"),
    path("password/reset/", views.password_reset, name="account_reset_password"),
    path("password/reset/done/", views.password_reset_done, name="account_reset_password_done"),
    path("password/reset/key/done/", views.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("2fa/", security.two_step_sign_in, name="mfa_index"),
    path("2fa/recovery-codes/", never_cache(view_recovery_codes), name="mfa_view_recovery_codes"),
    path("2fa/", include("allauth.mfa.urls")),
]
