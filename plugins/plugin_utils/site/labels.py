"""Docker labels of every container of a site, by which its task definition says what of the site it runs."""

from __future__ import annotations

RELEASE = "berth.release"
"""The name of the release."""
IMAGE = "berth.image"
"""What the inventory calls the image."""
TAG = "berth.tag"
"""The tag of an image that is run by its digest."""
