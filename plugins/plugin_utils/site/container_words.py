"""Words that people bring to a container and that are none here: each with the reason and what to write instead."""

from __future__ import annotations

_PATCH = "write patch: {TaskDefinition.ContainerDefinitions.<container>"

OF_COMPOSE = {
    "build": "images are built before they are deployed. Build it, and name it: image: shop/django.",
    "restart": "ECS replaces a task whose container ends; take the line out.",
    "container_name": "the container's name is its key here; take the line out.",
    "networks": "containers of a task reach each other by links, services by expose; take the line out.",
    "network_mode": "tasks run in bridge mode, so that many fit on a host; take the line out.",
    "env_file": "such a file is not on the hosts. Write its lines under environment, and what is secret under secrets.",
    "profiles": "every environment has its own inventory; take the line out.",
    "expose": "it belongs to the service, beside containers: expose: <container>.",
    "deploy": "it belongs to the service, beside containers; a container's memory is mem_limit: 256m.",
    "scale": "it belongs to the service, beside containers: deploy: {replicas: 2}.",
    "extends": "write like: <service>.<container>.",
    "cpus": "ECS has shares, which only count when a host is busy. Write cpu_shares: 256 for a quarter of a CPU.",
    "cpu_quota": "ECS has shares only. Write cpu_shares: 256 for a quarter of a CPU.",
    "logging": "all containers log to CloudWatch; log_mode and log_buffer_size say how. For another driver "
    f"{_PATCH}.LogConfiguration: …}} beside containers.",
    "platform": "the hosts' processor decides. Build the image for it, and take the line out.",
    "pull_policy": "the hosts' agent decides (ecs_agent_image_pull_behavior); take the line out.",
    "stop_signal": "ECS has none. Write STOPSIGNAL in the Dockerfile.",
    "configs": "put the file into the image, or what differs under environment.",
    "volumes_from": "name each volume under volumes.",
    "external_links": "links stay within a task; between services write expose, and {from: service.<name>.host}.",
    "pid": "it belongs to the task. Write patch: {TaskDefinition.PidMode: host} beside containers.",
    "ipc": "it belongs to the task. Write patch: {TaskDefinition.IpcMode: task} beside containers.",
    "gpus": f"{_PATCH}.ResourceRequirements: […]}} beside containers.",
    "group_add": "ECS has none. Give the user its groups in the Dockerfile.",
    "domainname": "ECS has none. Write hostname: with the whole name.",
    "mac_address": "ECS has none; take the line out.",
    "pids_limit": "ECS has none. Write ulimits: {nproc: 512}.",
    "oom_kill_disable": "ECS has none; raise mem_limit.",
    "oom_score_adj": "ECS has none; raise mem_limit.",
    "userns_mode": "ECS has none; write user: instead.",
    "runtime": "ECS has none; take the line out.",
    "storage_opt": "ECS has none; take the line out.",
    "isolation": "ECS has none on Linux; take the line out.",
    "develop": "it is for development; take it out.",
    "attach": "a host has no terminal; take the line out.",
    "annotations": "write labels.",
    "mem_swap_limit": "write memswap_limit.",
}
"""https://github.com/compose-spec/compose-spec/blob/main/05-services.md"""

OF_ECS = {
    "memory": "write mem_limit: 256m, as Compose does.",
    "memory_reservation": "write mem_reservation: 128m, as Compose does.",
    "cpu": "write cpu_shares: 256, as Compose does.",
    "port": 'write ports: ["8000"], as Compose does.',
    "health": "write healthcheck: {test: […]}, as Compose does.",
    "health_check": "write healthcheck: {test: […]}, as Compose does.",
    "stop_seconds": "write stop_grace_period: 60s, as Compose does.",
    "stop_timeout": "write stop_grace_period: 60s, as Compose does.",
    "entry_point": "write entrypoint, as Compose does.",
    "entryPoint": "write entrypoint, as Compose does.",
    "working_directory": "write working_dir, as Compose does.",
    "essential": (
        "all containers are essential, but those that another one waits for with "
        "{condition: service_completed_successfully}."
    ),
    "mountPoints": "write volumes: [media:/srv/media].",
    "mount_points": "write volumes: [media:/srv/media].",
    "portMappings": 'write ports: ["8000"].',
    "port_mappings": 'write ports: ["8000"].',
    "dependsOn": "write depends_on.",
    "environmentFiles": "write the file's lines under environment, and what is secret under secrets.",
    "environment_files": "write the file's lines under environment, and what is secret under secrets.",
    "repositoryCredentials": (
        "publish the image from this machine (a name without a registry), or "
        f"{_PATCH}.RepositoryCredentials: …, ExecutionRole.ManagedPolicyArns: [<policy that may read the secret>]}} "
        "beside containers."
    ),
    "firelensConfiguration": f"{_PATCH}.FirelensConfiguration: …}} beside containers.",
    "start_timeout": f"{_PATCH}.StartTimeout: 60}} beside containers.",
}
"""What people know from task definitions, and from earlier releases."""

ELSEWHERE = OF_ECS | OF_COMPOSE
