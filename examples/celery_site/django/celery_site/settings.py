"""Django's settings and Celery's. What differs between environments comes from environment variables."""

import socket
from urllib.parse import quote

from celery_site.environment import optional, required

DEBUG = False
INSTALLED_APPS = ["django.contrib.sessions", "factors"]
# Without CommonMiddleware, which looks at the Host header of every request: the load balancer asks for /healthz by
# address. Forms are checked against ALLOWED_HOSTS by CsrfViewMiddleware.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
ROOT_URLCONF = "celery_site.urls"
WSGI_APPLICATION = "celery_site.wsgi.application"
TIME_ZONE = "UTC"

SECRET_KEY = required("SECRET_KEY")
ALLOWED_HOSTS = [name.strip() for name in optional("ALLOWED_HOSTS", "localhost").split(",")]
# The load balancer sets the header on every request; hosts are reached through it alone.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = optional("COOKIES_SECURE", "1") == "1"
SESSION_COOKIE_AGE = 86400

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": required("DB_HOST"),
        "PORT": optional("DB_PORT", "5432"),
        "NAME": required("DB_NAME"),
        "USER": required("DB_USER"),
        "PASSWORD": required("DB_PASSWORD"),
        # RDS for PostgreSQL 15 and later refuses connections without TLS.
        "OPTIONS": {"sslmode": optional("DB_SSLMODE", "require"), "connect_timeout": 5},
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_BROKER_URL = (
    f"redis://:{quote(required('REDIS_PASSWORD'), safe='')}@{required('REDIS_HOST')}:{optional('REDIS_PORT', '6379')}/0"
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a scheduler or worker waits for redis for as long as it takes
# A network load balancer forgets a connection after 350 s without a word:
# https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html#connection-idle-timeout
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_keepalive": True, "health_check_interval": 30, "socket_connect_timeout": 3}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_max": 0.2}
CELERY_TASK_IGNORE_RESULT = True  # tasks write what they find into the database
# A task whose worker is killed is done by another, so tasks may run twice.
CELERY_TASK_ACKS_LATE = CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    # With the name of the scheduler's container, so that a second one is seen. Not kept for when no worker is there.
    "heartbeat": {
        "task": "factors.tasks.heartbeat",
        "schedule": 5.0,
        "args": [socket.gethostname()],
        "options": {"expires": 10},
    },
    "queue again": {"task": "factors.tasks.queue_again", "schedule": 15.0, "options": {"expires": 15}},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stdout"}},
    "root": {"handlers": ["console"], "level": optional("LOG_LEVEL", "INFO")},
    # Django's own default mails errors to the administrators; there is no mail here.
    "loggers": {"django": {"handlers": ["console"], "level": "INFO", "propagate": False}},
}
