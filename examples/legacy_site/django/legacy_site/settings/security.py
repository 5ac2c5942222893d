"""Secrets, host names, cookies, and the load balancer in front that ends TLS."""
from legacy_site.environment import optional, required

SECRET_KEY = required("SECRET_KEY")
ALLOWED_HOSTS = [name.strip() for name in optional("ALLOWED_HOSTS", "localhost").split(",")]

# The load balancer sets the header on every request; hosts are reached through it alone.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = optional("COOKIES_SECURE", "1") == "1"
SESSION_COOKIE_HTTPONLY = True
# filer's upload page embeds the admin in a frame of the same site.
X_FRAME_OPTIONS = "SAMEORIGIN"
