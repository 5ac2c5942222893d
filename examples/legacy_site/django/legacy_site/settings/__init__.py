"""Django's settings, one module a topic. What differs between environments comes from environment variables."""
from .site import *  # noqa: F401,F403
from .security import *  # noqa: F401,F403
from .database import *  # noqa: F401,F403
from .media import *  # noqa: F401,F403
from .logs import *  # noqa: F401,F403
