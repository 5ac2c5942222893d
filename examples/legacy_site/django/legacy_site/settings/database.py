"""PostgreSQL. RDS for PostgreSQL 15 and later refuses connections without TLS, hence the default of DB_SSLMODE."""
from legacy_site.environment import optional, required

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql_psycopg2",
        "NAME": required("DB_NAME"),
        "USER": required("DB_USER"),
        "PASSWORD": required("DB_PASSWORD"),
        "HOST": required("DB_HOST"),
        "PORT": optional("DB_PORT", "5432"),
        "OPTIONS": {"sslmode": optional("DB_SSLMODE", "require"), "connect_timeout": 5},
        "CONN_MAX_AGE": 60,
    }
}
MIGRATION_MODULES = {
    # filer 0.9 keeps South's migrations in the default place.
    "filer": "filer.migrations_django",
}
