"""Tasks that a person starts, stops and looks at."""

from __future__ import annotations

from collections.abc import Iterable

from local_aws.ecs import placement, task_definitions, views
from local_aws.ecs.actions.base import Actions, page
from local_aws.ecs.actions.capacity_providers import capacity
from local_aws.ecs.errors import EcsError, invalid
from local_aws.ecs.managed_scaling import waiting_at
from local_aws.ecs.scheduler import managed_tags, new_task, stop_task
from local_aws.ecs.state import Cluster, Json, Task


class Tasks(Actions):
    """RunTask, StopTask, DescribeTasks and the like."""

    def run_task(self, request: Json) -> Json:
        """RunTask: places up to `count` tasks now; what has no place is a failure, not an error.

        A request that started tasks and comes again with its client token starts no others.
        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ECS_Idempotency.html
        """
        cluster = self._cluster(request)
        key = cluster.name, request.get("clientToken", "")
        asked, arns = self.region.run_tokens.get(key, ({}, []))
        if not arns:
            answer = self._run_task(cluster, request)
            if key[1] and answer["tasks"]:
                self.region.run_tokens[key] = request, [task["taskArn"] for task in answer["tasks"]]
            return answer
        if request != asked:
            raise EcsError("ConflictException", "The clientToken is already in use with a different RunTask request.")
        known = [self.region.tasks[arn] for arn in arns if arn in self.region.tasks]
        return {"tasks": [views.task(self.region, task, ["TAGS"]) for task in known], "failures": []}

    def _run_task(self, cluster: Cluster, request: Json) -> Json:
        definition = self._active_definition(request["taskDefinition"])
        count = request.get("count", 1)
        if not 1 <= count <= 10:
            raise invalid("Task count must be between 1 and 10.")
        strategy, launch_type = capacity(request, cluster)
        merged = task_definitions.merge_overrides(definition, request.get("overrides", {}))
        group = request.get("group") or f"family:{definition['family']}"
        tasks: list[Task] = []
        failures: list[Json] = []
        for _ in range(count):
            placing: Json = {
                "launch_type": launch_type,
                "strategy": strategy,
                "constraints": request.get("placementConstraints", []),
                "placement": request.get("placementStrategy", []),
                "group": group,
            }
            instance, provider, refusals = placement.place(self.region, cluster.name, merged, **placing)
            provider = provider or ("" if launch_type else waiting_at(self.region, strategy))
            if instance is None and not provider:
                if not [each for each in refusals if each.code != "DRAINING"]:
                    if strategy and not launch_type:
                        raise invalid("No Container Instances were found in your capacity provider.")
                    raise invalid("No Container Instances were found in your cluster.")
                failures += [{"arn": each.instance.arn, "reason": each.code} for each in refusals]
                break
            task = new_task(
                self.region, cluster.name, merged, instance,
                group=group, now=self.clock(), provider=provider, placing=placing,
            )  # fmt: skip
            self._fill(task, request)
            tasks.append(task)
        return {"tasks": [views.task(self.region, task, ["TAGS"]) for task in tasks], "failures": failures}

    def _fill(self, task: Task, request: Json) -> None:
        task.started_by = request.get("startedBy", "")
        task.overrides = request.get("overrides", {})
        task.exec_enabled = request.get("enableExecuteCommand", False)
        task.tags = list(request.get("tags", []))
        if request.get("propagateTags") == "TASK_DEFINITION":
            own = {tag["key"] for tag in task.tags}
            inherited = self.region.definition_tags.get(task.definition["taskDefinitionArn"], [])
            task.tags += [dict(tag) for tag in inherited if tag["key"] not in own]
        if request.get("enableECSManagedTags"):
            task.tags += managed_tags(task.cluster)

    def stop_task(self, request: Json) -> Json:
        """StopTask."""
        cluster = self._cluster(request)
        task = self._task(cluster, request["task"])
        if task is None:
            raise invalid("The referenced task was not found.")
        stop_task(task, request.get("reason") or "Task stopped by user", "UserInitiated", self.clock())
        return {"task": views.task(self.region, task, ["TAGS"])}

    def describe_tasks(self, request: Json) -> Json:
        """DescribeTasks."""
        return self._described(request, "tasks", "task", self._task, views.task)

    def list_tasks(self, request: Json) -> Json:
        """ListTasks; running ones unless `desiredStatus` is STOPPED."""
        cluster = self._cluster(request)
        desired = request.get("desiredStatus", "RUNNING")
        tasks: Iterable[Task] = (task for task in self.region.tasks_of(cluster=cluster.name) if task.desired == desired)
        if reference := request.get("containerInstance"):
            instance = self._instance(cluster, reference)
            if instance is None:
                raise invalid("The referenced container instance was not found.")
            tasks = [task for task in tasks if task.instance == instance.arn]
        if reference := request.get("serviceName"):
            service = self._service(cluster, reference)
            if service is None:
                raise EcsError("ServiceNotFoundException", "Service not found.")
            tasks = [task for task in tasks if task.service == service.arn]
        if family := request.get("family"):
            tasks = [task for task in tasks if task.definition["family"] == family]
        if started_by := request.get("startedBy"):
            tasks = [task for task in tasks if task.started_by == started_by]
        return page("taskArns", [task.arn for task in tasks], request)

    def execute_command(self, request: Json) -> Json:
        """ExecuteCommand: refused as AWS does where the task has no working exec agent."""
        cluster = self._cluster(request)
        if self._task(cluster, request["task"]) is None:
            raise invalid("The referenced task was not found.")
        raise invalid(
            "The execute command failed because execute command was not enabled when the task was run or the execute "
            "command agent isn't running. Wait and try again or run a new task with execute command enabled and try "
            "again. (The embedded AWS has no Session Manager: use docker exec on the host.)"
        )
