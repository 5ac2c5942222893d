import logging
import os

LOG = logging.getLogger(__name__)


def ensure_administrator(**_: object) -> None:
    """Make the administrator ADMIN_USER with ADMIN_PASSWORD, unless there is a user of that name already.

    `migrate` calls it. An existing user is left alone: the password may have been changed since. Without the two
    variables (they are given to the migrate job only) nothing happens.
    """
    from django.contrib.auth import get_user_model

    name, password = os.environ.get("ADMIN_USER"), os.environ.get("ADMIN_PASSWORD")
    if not name or not password:
        return
    users = get_user_model().objects
    if users.filter(username=name).exists():
        LOG.info("the administrator %s is there already", name)
        return
    users.create_superuser(username=name, password=password)
    LOG.info("made the administrator %s", name)
