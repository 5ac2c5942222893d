"""The host roles on a host with Amazon Linux's package manager, paths and names of units."""

from __future__ import annotations

import json
import shlex
import time
from typing import Any

import pytest

OPTIONS_OF_THE_PACKAGE = "--default-ulimit nofile=32768:65536"


def test_it_is_amazon_linux_to_everything_that_looks(host: Any) -> None:
    assert host.system_info.distribution == "amzn"
    assert host.system_info.release == "2023"
    assert host.check_output("docker info --format '{{.OperatingSystem}}'").startswith("Amazon Linux 2023")
    assert host.check_output("cloud-init query --format '{{distro}} {{platform}}'") == "amzn ec2"
    for command in ("apt", "apt-get", "dpkg", "dpkg-query"):
        assert not host.exists(command), command


@pytest.mark.parametrize("unit", ["sshd", "docker", "rexray-efs", "ecs", "amazon-ssm-agent", "host-limits"])
def test_units_are_enabled_and_run_under_their_names_there(host: Any, unit: str) -> None:
    assert host.service(unit).is_enabled
    assert host.service(unit).is_running


def test_nothing_went_by_a_name_of_debian(host: Any) -> None:
    assert host.check_output("systemctl show --value --property LoadState ssh") == "not-found"
    with host.sudo():
        assert not host.file("/etc/default/docker").exists
        assert not host.file("/etc/default/ssh").exists


def test_nothing_failed_to_start(host: Any) -> None:
    assert host.check_output("cloud-init status") == "status: done"
    with host.sudo():
        log = host.file("/var/log/cloud-init.log").content_string
    assert "Using distro class <class 'cloudinit.distros.amazon.Distro'>" in log
    assert "[WARNING]" not in log
    assert host.check_output("systemctl list-units --failed --plain --no-legend") == ""


@pytest.mark.parametrize("package", ["docker", "openssh-server", "ecs-init", "amazon-efs-utils", "amazon-ssm-agent"])
def test_the_image_brings_the_packages_that_the_roles_rely_on(host: Any, package: str) -> None:
    assert host.package(package).release == "1.amzn2023"


def test_ansible_installed_a_package_from_the_repository(host: Any) -> None:
    assert host.package("cronie").version == "1.5.7"
    with host.sudo():
        assert "amazonlinux" in host.check_output("dnf info --installed --cacheonly cronie")


def test_the_engine_gets_its_open_files_limit_from_one_place(host: Any) -> None:
    engine = shlex.split(host.check_output("tr '\\0' ' ' < /proc/$(pidof dockerd)/cmdline"))
    assert engine[0] == "/usr/bin/dockerd"
    assert "--default-ulimit" not in engine
    files = "/etc/docker/daemon.json /etc/sysconfig/docker"
    since = host.check_output("systemctl show --value --property ActiveEnterTimestamp --timestamp us docker")
    assert host.check_output(f"find {files} -newermt '{since}'") == "", "the engine has not started with them"


def test_the_engine_would_not_start_with_the_packages_options(host: Any) -> None:
    with host.sudo():
        twice = host.run(f"timeout 10 dockerd --host unix:///run/twice.sock {OPTIONS_OF_THE_PACKAGE}")
    assert twice.rc == 1
    assert "specified both as a flag and in the configuration file: default-ulimits" in twice.stderr


def test_the_role_owns_the_packages_file(host: Any) -> None:
    assert host.check_output("rpm -qf /etc/sysconfig/docker").startswith("docker-")
    assert OPTIONS_OF_THE_PACKAGE not in host.file("/etc/sysconfig/docker").content_string
    assert "/etc/sysconfig/docker" in host.run("rpm --verify docker").stdout


def test_sshd_takes_the_roles_settings_before_the_images(host: Any) -> None:
    with host.sudo():
        effective = host.check_output("sshd -T").splitlines()
        images = host.file("/etc/ssh/sshd_config.d/50-redhat.conf").content_string
    assert "X11Forwarding yes" in images
    assert "x11forwarding no" in effective
    assert "passwordauthentication no" in effective
    assert "subsystem sftp /usr/libexec/openssh/sftp-server" in effective


def test_the_agent_has_joined_the_cluster(host: Any) -> None:
    deadline = time.monotonic() + 60
    while (answer := host.run("curl -s http://localhost:51678/v1/metadata")).rc or not answer.stdout.strip():
        assert time.monotonic() < deadline, host.check_output("sudo journalctl -u ecs -n 30 --no-pager")
        time.sleep(1)
    assert json.loads(answer.stdout)["Cluster"] == "legacy-molecule"


def test_the_plugin_has_the_file_system(host: Any) -> None:
    assert host.check_output("docker volume inspect --format '{{.Driver}}' media") == "rexray/efs:latest"
