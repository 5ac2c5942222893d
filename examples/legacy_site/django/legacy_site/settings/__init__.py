"""Django's settings, one module a topic. What differs between environments comes from environment variables."""
from .site import *
from .security import *
from .database import *
from .media import *
from .logs import *
