"""Uploaded files, which nginx serves from the shared volume, and static files, which it serves from its own image."""
from legacy_site.environment import optional

MEDIA_ROOT = optional("MEDIA_ROOT", "/srv/media")
MEDIA_URL = "/media/"
STATIC_ROOT = "/srv/static"
STATIC_URL = optional("STATIC_URL", "/static/")

# nginx reads the files as another user.
FILE_UPLOAD_PERMISSIONS = 0o644
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o755

FILER_ENABLE_PERMISSIONS = False
THUMBNAIL_PROCESSORS = (
    "easy_thumbnails.processors.colorspace",
    "easy_thumbnails.processors.autocrop",
    "filer.thumbnail_processors.scale_and_crop_with_subject_location",
    "easy_thumbnails.processors.filters",
)
