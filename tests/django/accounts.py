"""A site with accounts, made of Django's own parts: `accounts.py FOLDER PORT SMTP-PORT ADDRESS`.

There is one user, `ada`, whose mail goes to ADDRESS. `/admin/` asks for the password, `/otp/` for a one-time code as well,
`/accounts/` has Django's forms for signing in and a forgotten password, and `/o/` is an OAuth 2 server.
"""

import sys

import django
from django.conf import settings
from django.core.management import call_command
from django.http import HttpResponse, JsonResponse
from django.urls import include, path

FOLDER, PORT, SMTP_PORT, ADDRESS = sys.argv[1:]
PASSWORD = "hunter2"
# `GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ` in Base32.
TOTP_KEY = b"12345678901234567890"

# Tables are made as they are now, without their history, which takes seconds.
APPS = ["admin", "auth", "contenttypes", "messages", "sessions", "staticfiles"]
OTHERS = ["django_otp", "django_otp.plugins.otp_totp", "oauth2_provider"]
settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{FOLDER}/db.sqlite3"}},
    DEFAULT_FROM_EMAIL="accounts@forge.example",
    EMAIL_HOST="127.0.0.1",
    EMAIL_PORT=int(SMTP_PORT),
    INSTALLED_APPS=[f"django.contrib.{app}" for app in APPS] + OTHERS,
    LOGIN_REDIRECT_URL="/admin/",
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django_otp.middleware.OTPMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    MIGRATION_MODULES={app: None for app in [*APPS, "otp_totp", "oauth2_provider"]},
    OAUTH2_PROVIDER={"SCOPES": {"read": "Read"}, "ROTATE_REFRESH_TOKEN": True},
    ROOT_URLCONF=__name__,
    SECRET_KEY="the key of a site that lives for one test",
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    STATIC_URL="/static/",
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    USE_TZ=True,
)
django.setup()

from django.contrib import admin
from django.contrib.auth import get_user_model
from django_otp.admin import OTPAdminSite
from django_otp.plugins.otp_totp.models import TOTPDevice
from oauth2_provider.decorators import protected_resource
from oauth2_provider.models import Application


@protected_resource(scopes=["read"], advertise_metadata=True)
def me(request):
    """What an access token is good for."""
    return JsonResponse({"user": request.resource_owner.username})


def callback(request):
    """Where the OAuth server sends the browser: the client's side, which gets the code."""
    return HttpResponse(request.GET.get("code", ""))


urlpatterns = [
    path("admin/", admin.site.urls),
    path("otp/", OTPAdminSite(name="otp").urls),
    path("accounts/", include("django.contrib.auth.urls")),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("me/", me),
    path("callback/", callback),
]

call_command("migrate", run_syncdb=True, verbosity=0)
ada = get_user_model().objects.create_superuser("ada", ADDRESS, PASSWORD)
TOTPDevice.objects.create(user=ada, name="phone", key=TOTP_KEY.hex())
Application.objects.create(
    name="Tripline",
    user=ada,
    client_id="tripline",
    client_secret="client-s3cret",
    client_type=Application.CLIENT_CONFIDENTIAL,
    authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
    redirect_uris=f"http://127.0.0.1:{PORT}/callback/",
)

from django.core.wsgi import get_wsgi_application
from waitress import serve

# The tests say `x-forwarded-proto: https`, as a proxy does that speaks TLS.
serve(get_wsgi_application(), host="127.0.0.1", port=int(PORT), threads=2, clear_untrusted_proxy_headers=False)
