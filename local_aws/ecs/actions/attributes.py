"""Attributes of container instances."""

from __future__ import annotations

from local_aws.ecs.actions.base import Actions, page
from local_aws.ecs.errors import EcsError
from local_aws.ecs.state import Json


class Attributes(Actions):
    """PutAttributes, DeleteAttributes, ListAttributes."""

    def put_attributes(self, request: Json) -> Json:
        """PutAttributes on container instances."""
        cluster = self._cluster(request)
        for attribute in request["attributes"]:
            instance = self._instance(cluster, attribute.get("targetId", ""))
            if instance is None:
                raise EcsError("TargetNotFoundException", "The specified target wasn't found.")
            plain = {key: attribute[key] for key in ("name", "value") if key in attribute}
            instance.attributes = [each for each in instance.attributes if each["name"] != plain["name"]] + [plain]
        return {"attributes": request["attributes"]}

    def delete_attributes(self, request: Json) -> Json:
        """DeleteAttributes of container instances."""
        cluster = self._cluster(request)
        for attribute in request["attributes"]:
            instance = self._instance(cluster, attribute.get("targetId", ""))
            if instance is None:
                raise EcsError("TargetNotFoundException", "The specified target wasn't found.")
            instance.attributes = [each for each in instance.attributes if each["name"] != attribute["name"]]
        return {"attributes": request["attributes"]}

    def list_attributes(self, request: Json) -> Json:
        """ListAttributes of container instances."""
        cluster = self._cluster(request)
        found = [
            {**attribute, "targetId": instance.arn}
            for instance in self.region.instances_of(cluster.name)
            for attribute in instance.attributes
            if attribute["name"] == request.get("attributeName", attribute["name"])
            and attribute.get("value") == request.get("attributeValue", attribute.get("value"))
        ]
        return page("attributes", found, request)
