"""The ECS API of a region: which actions there are, what is wrong with a request, and who answers it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import botocore.session
import botocore.validate

from local_aws.ecs import queries, support
from local_aws.ecs.actions.agents import Agents
from local_aws.ecs.actions.base import Actions
from local_aws.ecs.actions.capacity_providers import CapacityProviders
from local_aws.ecs.actions.clusters import Clusters
from local_aws.ecs.actions.container_instances import ContainerInstances
from local_aws.ecs.actions.services import Services
from local_aws.ecs.actions.tags import Tags
from local_aws.ecs.actions.task_definitions import TaskDefinitions
from local_aws.ecs.actions.tasks import Tasks
from local_aws.ecs.errors import EcsError, invalid
from local_aws.ecs.outside import Outside
from local_aws.ecs.state import Json, Region, State

MODEL = botocore.session.get_session().get_service_model("ecs")
KINDS: tuple[type[Actions], ...] = (
    Clusters,
    CapacityProviders,
    TaskDefinitions,
    ContainerInstances,
    Tasks,
    Services,
    Tags,
)
"""All but the agents', which know where these find the control plane."""
AGENT_ACTIONS = {
    "RegisterContainerInstance",
    "DiscoverPollEndpoint",
    "SubmitTaskStateChange",
}
"""Agents newer than botocore's model may send more than it knows: these are not checked for unknown members."""


class Api:
    """The API of one region.

    Args:
        state, region, outside, clock: see `actions.base.Actions`.
        endpoint: URL of the agents' WebSocket server.
        wake: called after a change that the scheduler should look at now.
    """

    def __init__(
        self,
        state: State,
        region: Region,
        outside: Outside,
        endpoint: str,
        wake: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.state = state
        self.wake = wake
        self._kinds = [kind(state, region, outside, clock) for kind in KINDS]
        self._kinds.append(Agents(state, region, outside, clock, endpoint))

    def call(self, action: str, request: Json) -> Json:
        """Answer one request.

        Raises:
            EcsError: what AWS would answer.
        """
        if action not in MODEL.operation_names:
            raise EcsError("UnknownOperationException", f"Amazon ECS has no action {action}.")
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower()
        actions = next((each for each in self._kinds if hasattr(each, name)), None)
        if actions is None:
            raise EcsError("UnsupportedFeatureException", f"The embedded AWS does not support ecs:{action}.")
        _validate(action, request)
        support.check(action, MODEL.operation_model(action).input_shape, request)
        for constraint in request.get("placementConstraints") or []:
            queries.parse(constraint.get("expression", ""))
        method: Callable[[Json], Json] = getattr(actions, name)
        try:
            if action in actions.unlocked:
                answer = method(request)
            else:
                with self.state.lock:
                    answer = method(request)
        finally:
            if not action.startswith(("Describe", "List", "Discover")):
                self.wake()
        return dict(answer)


def _validate(action: str, request: Json) -> None:
    """Check `request` against the service model; unknown members too, unless an agent sent it."""
    shape = MODEL.operation_model(action).input_shape
    if action in AGENT_ACTIONS:
        request = {key: value for key, value in request.items() if key in shape.members}
        if action == "RegisterContainerInstance" or action == "SubmitTaskStateChange":
            return
    report = botocore.validate.ParamValidator().validate(request, shape)
    if report.has_errors():
        raise invalid(report.generate_report())
