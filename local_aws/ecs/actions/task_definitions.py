"""Task definitions: families and their revisions."""

from __future__ import annotations

from local_aws.config import ACCOUNT_ID
from local_aws.ecs import task_definitions
from local_aws.ecs.actions.base import Actions, page
from local_aws.ecs.errors import EcsError, invalid
from local_aws.ecs.state import Json


class TaskDefinitions(Actions):
    """RegisterTaskDefinition, DescribeTaskDefinition and the like."""

    def register_task_definition(self, request: Json) -> Json:
        """RegisterTaskDefinition: the next revision of its family."""
        task_definitions.validate(request)
        family = request["family"]
        revision = self.region.revisions.get(family, 0) + 1
        self.region.revisions[family] = revision
        arn = self.region.arn("task-definition", f"{family}:{revision}")
        definition = {
            "taskDefinitionArn": arn,
            "revision": revision,
            "status": "ACTIVE",
            "registeredAt": self.clock(),
            "registeredBy": f"arn:aws:iam::{ACCOUNT_ID}:root",
            **task_definitions.complete(request),
        }
        self.region.definitions[arn] = definition
        self.region.definition_tags[arn] = list(request.get("tags", []))
        answer: Json = {"taskDefinition": definition}
        if request.get("tags"):
            answer["tags"] = request["tags"]
        return answer

    def describe_task_definition(self, request: Json) -> Json:
        """DescribeTaskDefinition."""
        definition = self._definition(request["taskDefinition"])
        answer: Json = {"taskDefinition": definition}
        if "TAGS" in request.get("include", []):
            answer["tags"] = self.region.definition_tags.get(definition["taskDefinitionArn"], [])
        return answer

    def deregister_task_definition(self, request: Json) -> Json:
        """DeregisterTaskDefinition."""
        if ":" not in request["taskDefinition"].rpartition("/")[2]:
            raise invalid("Specified task definition must include revision, for example family:revision.")
        definition = self._definition(request["taskDefinition"])
        definition["status"] = "INACTIVE"
        definition["deregisteredAt"] = self.clock()
        return {"taskDefinition": definition}

    def delete_task_definitions(self, request: Json) -> Json:
        """DeleteTaskDefinitions; only INACTIVE ones, and none that is in use."""
        deleted, failures = [], []
        for reference in request["taskDefinitions"]:
            try:
                definition = self._definition(reference)
            except EcsError:
                failures.append({"arn": reference, "reason": "The specified task definition was not found."})
                continue
            arn = definition["taskDefinitionArn"]
            if definition["status"] != "INACTIVE":
                reason = "The specified task definition is still in ACTIVE status. Please deregister and try again."
                failures.append({"arn": arn, "reason": reason})
                continue
            definition["status"], definition["deleteRequestedAt"] = "DELETE_IN_PROGRESS", self.clock()
            deleted.append(dict(definition))
            if not self._in_use(arn):
                del self.region.definitions[arn]
                self.region.definition_tags.pop(arn, None)
        return {"taskDefinitions": deleted, "failures": failures}

    def _in_use(self, arn: str) -> bool:
        return any(
            task.active and task.definition["taskDefinitionArn"] == arn for task in self.region.tasks.values()
        ) or any(
            deployment.task_definition == arn
            for service in self.region.services.values()
            for deployment in service.deployments
        )

    def list_task_definitions(self, request: Json) -> Json:
        """ListTaskDefinitions, oldest first unless `sort` is DESC."""
        status = request.get("status", "ACTIVE")
        found = [
            each
            for each in self.region.definitions.values()
            if each["status"] == status and each["family"] == (request.get("familyPrefix") or each["family"])
        ]
        found.sort(key=lambda each: (each["family"], each["revision"]), reverse=request.get("sort") == "DESC")
        return page("taskDefinitionArns", [each["taskDefinitionArn"] for each in found], request)

    def list_task_definition_families(self, request: Json) -> Json:
        """ListTaskDefinitionFamilies."""
        status, prefix = request.get("status", "ALL"), request.get("familyPrefix", "")
        active = {each["family"] for each in self.region.definitions.values() if each["status"] == "ACTIVE"}
        names = {"ACTIVE": active, "INACTIVE": set(self.region.revisions) - active}.get(
            status, set(self.region.revisions)
        )
        return page("families", sorted(name for name in names if name.startswith(prefix)), request)
