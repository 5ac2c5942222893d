"""Amazon ECS for an embedded AWS: the API, the scheduler, and the control plane's end of the agent's own protocol."""

from local_aws.ecs.control_plane import ControlPlane, middleware

__all__ = ["ControlPlane", "middleware"]
