"""Tags of whatever has an ARN."""

from __future__ import annotations

from local_aws.ecs import views
from local_aws.ecs.actions.base import Actions
from local_aws.ecs.errors import invalid
from local_aws.ecs.state import Json


class Tags(Actions):
    """TagResource, UntagResource, ListTagsForResource."""

    def _tags(self, arn: str) -> list[dict[str, str]]:
        tags = views.tags_of(self.region, arn)
        if tags is None:
            raise invalid("The specified resource was not found. Specify a valid ARN and try again.")
        return tags

    def list_tags_for_resource(self, request: Json) -> Json:
        """ListTagsForResource."""
        return {"tags": self._tags(request["resourceArn"])}

    def tag_resource(self, request: Json) -> Json:
        """TagResource."""
        tags = self._tags(request["resourceArn"])
        new = {each["key"] for each in request["tags"]}
        tags[:] = [each for each in tags if each["key"] not in new] + request["tags"]
        return {}

    def untag_resource(self, request: Json) -> Json:
        """UntagResource."""
        tags = self._tags(request["resourceArn"])
        tags[:] = [each for each in tags if each["key"] not in request["tagKeys"]]
        return {}
