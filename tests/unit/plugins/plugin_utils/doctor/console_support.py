"""Consoles of hosts that have not joined, each for another reason."""

from __future__ import annotations

REPORT = """\
[   31.2] cloud-init[1512]: Cloud-init v. 22.2.2 finished at Fri, 27 Nov 2026 09:00:31 +0000.
[  361.2] ecs-boot-report[812]: BEGIN report: not in cluster shop-prod after 300 s
[  361.2] ecs-boot-report[812]: agent: Result=success ExecMainStatus=0 ActiveState=active SubState=running
[  361.2] ecs-boot-report[812]: docker: active
%s
[  361.2] ecs-boot-report[812]: END report
"""
"""What a host writes on its console that has not joined (roles/ecs_agent/templates/ecs-boot-report.sh.j2)."""
NEVER = {
    "boot-failed": "[   31.1] cloud-init[1512]: 2026-11-27 cc_scripts_user.py[WARNING]: Failed to run module "
    "scripts-user (scripts in /var/lib/cloud/instance/scripts)",
    "ecs-away": '[  361.2] ecs-boot-report[812]: level=error msg="Unable to register as a container instance with ECS" '
    'error="RequestError: send request failed caused by: Post \\"https://ecs.us-east-1.amazonaws.com/\\": dial tcp '
    '52.46.1.1:443: i/o timeout"',
    "other-cluster": "[  361.2] ecs-boot-report[812]: level=critical msg=\"Data mismatch; saved cluster 'default' does "
    "not match configured cluster 'shop-prod'. Perhaps you want to delete the configured checkpoint file?\"",
    "cluster-gone": '[  361.2] ecs-boot-report[812]: level=error msg="Unable to register as a container instance with '
    'ECS" error="ClientException: Cluster not found."',
    "plugin-off": "[  361.2] ecs-boot-report[812]: plugin rexray/efs:latest enabled=false",
    "unit-failed": "[  361.2] ecs-boot-report[812]: failed: rexray-efs.service",
    "host-role": '[  361.2] ecs-boot-report[812]: level=error msg="Unable to register as a container instance with '
    'ECS: NoCredentialProviders: no valid providers in chain"',
    "docker-down": "[  361.2] ecs-boot-report[812]: Cannot connect to the Docker daemon at unix:///var/run/docker.sock.",
}
"""Why a host has not joined → how its console has it."""


def console(why: str) -> str:
    """What a host has written that has not joined.

    Args:
        why: name of the failure, one of `NEVER`.
    """
    return REPORT % NEVER[why]
