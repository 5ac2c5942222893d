"""Clusters, and which capacity providers each has."""

from __future__ import annotations

from local_aws.ecs import views
from local_aws.ecs.actions.base import NAME, Actions, page
from local_aws.ecs.errors import EcsError, invalid
from local_aws.ecs.state import Cluster, Json


class Clusters(Actions):
    """CreateCluster, DescribeClusters and the like."""

    unlocked = frozenset({"CreateCluster"})

    def create_cluster(self, request: Json) -> Json:
        """CreateCluster; the same name again gives the same cluster, as on AWS."""
        name = request.get("clusterName") or "default"
        if not NAME.fullmatch(name):
            raise invalid("Invalid identifier: Identifier is for invalid cluster name.")
        if not self.outside.has_linked_role():
            raise invalid(
                "Unable to assume the service linked role. Please verify that the ECS service linked role exists."
            )
        with self.state.lock:
            return self._made(name, request)

    def _made(self, name: str, request: Json) -> Json:
        cluster = self.region.clusters.get(name)
        if cluster is None or cluster.status != "ACTIVE":
            settings = {"containerInsights": "disabled"}
            settings |= {each["name"]: each["value"] for each in request.get("settings", [])}
            cluster = Cluster(
                name,
                self.region.arn("cluster", name),
                [{"name": key, "value": value} for key, value in settings.items()],
                request.get("configuration", {}),
                list(request.get("tags", [])),
            )
            self._attach(
                cluster, request.get("capacityProviders", []), request.get("defaultCapacityProviderStrategy", [])
            )
            self.region.clusters[name] = cluster
        return {"cluster": views.cluster(self.region, cluster, ["SETTINGS", "TAGS", "CONFIGURATIONS"])}

    def describe_clusters(self, request: Json) -> Json:
        """DescribeClusters."""
        clusters, failures = [], []
        for reference in request.get("clusters") or ["default"]:
            name = reference.rpartition("/")[2]
            cluster = self.region.clusters.get(name)
            if cluster is None:
                failures.append({"arn": self.region.arn("cluster", name), "reason": "MISSING"})
            else:
                clusters.append(views.cluster(self.region, cluster, request.get("include", [])))
        return {"clusters": clusters, "failures": failures}

    def list_clusters(self, request: Json) -> Json:
        """ListClusters."""
        arns = [each.arn for each in self.region.clusters.values() if each.status == "ACTIVE"]
        return page("clusterArns", arns, request)

    def update_cluster(self, request: Json) -> Json:
        """UpdateCluster."""
        cluster = self._cluster(request)
        if "configuration" in request:
            cluster.configuration = request["configuration"]
        return self.update_cluster_settings({"cluster": cluster.name, "settings": request.get("settings", [])})

    def update_cluster_settings(self, request: Json) -> Json:
        """UpdateClusterSettings."""
        cluster = self._cluster(request)
        settings = {each["name"]: each["value"] for each in cluster.settings + request["settings"]}
        cluster.settings = [{"name": key, "value": value} for key, value in settings.items()]
        return {"cluster": views.cluster(self.region, cluster, ["SETTINGS", "TAGS", "CONFIGURATIONS"])}

    def delete_cluster(self, request: Json) -> Json:
        """DeleteCluster; refused while the cluster has instances, services or tasks."""
        cluster = self._cluster(request)
        if any(each.cluster == cluster.name and each.status != "INACTIVE" for each in self.region.services.values()):
            raise EcsError(
                "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active."
            )
        if self.region.instances_of(cluster.name):
            raise EcsError(
                "ClusterContainsContainerInstancesException",
                "The Cluster cannot be deleted while Container Instances are active or draining.",
            )
        if any(task.active for task in self.region.tasks_of(cluster=cluster.name)):
            raise EcsError("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
        cluster.status, cluster.providers, cluster.strategy = "INACTIVE", [], []
        return {"cluster": views.cluster(self.region, cluster, ["SETTINGS", "TAGS", "CONFIGURATIONS"])}

    def put_cluster_capacity_providers(self, request: Json) -> Json:
        """PutClusterCapacityProviders; a provider that tasks use cannot be taken away."""
        cluster = self._cluster(request)
        self._attach(cluster, request["capacityProviders"], request["defaultCapacityProviderStrategy"])
        return {"cluster": views.cluster(self.region, cluster, ["SETTINGS", "TAGS", "CONFIGURATIONS"])}

    def _attach(self, cluster: Cluster, providers: list[str], strategy: list[Json]) -> None:
        names = [each.rpartition("/")[2] for each in providers]
        for name in names:
            if name not in self.region.providers and name not in ("FARGATE", "FARGATE_SPOT"):
                raise invalid(f"The specified capacity provider {name} was not found.")
        for name in set(cluster.providers) - set(names):
            if any(task.provider == name and task.active for task in self.region.tasks_of(cluster=cluster.name)) or any(
                name in _providers(each.request) and each.cluster == cluster.name and each.status == "ACTIVE"
                for each in self.region.services.values()
            ):
                raise EcsError(
                    "ResourceInUseException", "The specified capacity provider is in use and cannot be removed."
                )
        for item in strategy:
            if item["capacityProvider"] not in names:
                raise invalid(f"The specified capacity provider {item['capacityProvider']} is not in the cluster.")
        cluster.providers = names
        cluster.strategy = [{"weight": 0, "base": 0, **item} for item in strategy]


def _providers(request: Json) -> list[str]:
    return [each["capacityProvider"] for each in request.get("capacityProviderStrategy") or []]
