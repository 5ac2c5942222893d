"""The real things: one module a kind, each a `Part`."""

from __future__ import annotations

from local_aws.cloud import Cloud
from local_aws.part import Part


def parts(cloud: Cloud) -> list[Part]:
    """All parts of an embedded AWS, the network first, in the order in which their loops are started."""
    from local_aws.ecs import ControlPlane
    from local_aws.parts.alarms import Alarms
    from local_aws.parts.backup_plans import BackupPlans
    from local_aws.parts.databases import Databases
    from local_aws.parts.edge import Edge
    from local_aws.parts.file_systems import FileSystems
    from local_aws.parts.functions import Functions
    from local_aws.parts.instances import Instances
    from local_aws.parts.load_balancers import LoadBalancers
    from local_aws.parts.network import Network
    from local_aws.parts.private_zones import PrivateZones
    from local_aws.parts.registry import Registry
    from local_aws.parts.resolver import Resolver
    from local_aws.parts.scaling import Scaling
    from local_aws.parts.schedules import Schedules
    from local_aws.parts.security_groups import SecurityGroups

    return [
        Network(cloud),
        Resolver(cloud),
        PrivateZones(cloud),
        Registry(cloud),
        ControlPlane(cloud),
        FileSystems(cloud),
        Databases(cloud),
        LoadBalancers(cloud),
        Edge(cloud),
        Instances(cloud),
        Schedules(cloud),
        BackupPlans(cloud),
        Scaling(cloud),
        Functions(cloud),
        Alarms(cloud),
        SecurityGroups(cloud),
    ]
