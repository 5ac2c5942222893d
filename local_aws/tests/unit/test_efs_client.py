"""The EFS client's own logic, without a server: settings, names, access points, Docker's protocol, signatures."""

from __future__ import annotations

import datetime
import errno
import http.client
import json
import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from local_aws.efs_client import aws, docker_volume, ecs_volume_plugin, mount, rexray
from local_aws.efs_client.docker_volume import VolumeError


class FakeNfs:
    """An export in memory: path → (mode, uid, gid)."""

    def __init__(self) -> None:
        self.files = {b"/": (0o40755, 0, 0)}
        self.times: dict[bytes, tuple[int, int]] = {}

    def stat(self, path: bytes) -> Any:
        if path not in self.files:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        mode, uid, gid = self.files[path]
        numbers = dict.fromkeys(("ino", "nlink", "rdev", "size", "blocks", "blksize", "atime", "mtime", "ctime"), 7)
        numbers |= dict.fromkeys(("atime_nsec", "mtime_nsec", "ctime_nsec"), 5)
        return SimpleNamespace(**{f"nfs_{k}": v for k, v in (numbers | {"mode": mode, "uid": uid, "gid": gid}).items()})

    def mkdir(self, path: bytes, mode: int) -> None:
        parent = self.stat(path.rpartition(b"/")[0] or b"/")
        self.files[path] = (0o40000 | mode, 0, parent.nfs_gid if parent.nfs_mode & stat.S_ISGID else 0)

    def create(self, path: bytes, flags: int, mode: int) -> int:
        if flags & os.O_EXCL and path in self.files:
            raise FileExistsError(errno.EEXIST, "exists")
        self.files[path] = (0o100000 | mode, 0, 0)
        return 3

    def chmod(self, path: bytes, mode: int) -> None:
        kind, uid, gid = self.files[path]
        self.files[path] = (stat.S_IFMT(kind) | mode, uid, gid)

    def chown(self, path: bytes, uid: int, gid: int) -> None:
        self.files[path] = (self.files[path][0], uid, gid)

    def utimes(self, path: bytes, accessed: int, modified: int) -> None:
        self.times[path] = (accessed, modified)


class FakeEfs:
    """An API with two file systems; the second has a mount target in another subnet only."""

    def file_systems(self) -> list[dict[str, Any]]:
        return [
            {"FileSystemId": "fs-1", "Name": "legacy-test/media", "PerformanceMode": "generalPurpose"},
            {"FileSystemId": "fs-2", "Name": "legacy-test/other"},
            {"FileSystemId": "fs-3", "Name": "media"},
            {"FileSystemId": "fs-4"},
        ]

    def mount_targets(self, file_system: str) -> list[dict[str, Any]]:
        subnets = {"fs-1": ["subnet-a", "subnet-b"], "fs-2": ["subnet-b"]}[file_system]
        return [{"SubnetId": subnet, "IpAddress": f"10.0.{number}.4"} for number, subnet in enumerate(subnets)]


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What is mounted: target → source; nothing is really mounted."""
    table: dict[str, str] = {}
    monkeypatch.setattr(mount, "is_mounted", table.__contains__)
    monkeypatch.setattr(mount, "unmount", lambda target: table.pop(target, None))
    return table


@pytest.fixture
def driver(tmp_path: Path, mounted: dict[str, str]) -> rexray.RexrayEfs:
    def fake_mount(server: str, root: str, target: str) -> None:
        Path(target).mkdir(parents=True, exist_ok=True)
        mounted[target] = f"{server}:{root}"

    settings = {"EFS_TAG": "legacy-test", "LINUX_VOLUME_FILEMODE": "0750"}
    efs: Any = FakeEfs()
    return rexray.RexrayEfs(settings, "subnet-a", "host-role", efs, str(tmp_path), fake_mount)


@pytest.mark.parametrize(
    ("text", "mode"), [("", 0o700), ("0755", 0o755), ("0777", 0o777), ("777", 0o411), ("511", 0o777), ("0x1ff", 0o777)]
)
def test_file_mode_is_read_as_go_reads_it(text: str, mode: int) -> None:
    assert rexray.parse_file_mode(text) == mode


def test_a_volume_is_the_file_system_with_its_name_tag(driver: rexray.RexrayEfs) -> None:
    assert driver.get("media")["Status"]["id"] == "fs-1"
    assert driver.get("MEDIA")["Status"]["id"] == "fs-1"
    assert [volume["Name"] for volume in driver.volumes()] == ["media", "other"]


def test_without_a_tag_the_name_begins_with_a_slash(tmp_path: Path) -> None:
    efs: Any = FakeEfs()
    with pytest.raises(VolumeError, match="Name tag /media"):
        rexray.RexrayEfs({}, "subnet-a", "host-role", efs, str(tmp_path)).get("media")


def test_the_file_system_is_mounted_in_the_hosts_own_subnet(
    driver: rexray.RexrayEfs, mounted: dict[str, str], tmp_path: Path
) -> None:
    assert driver.mount("media", "a") == f"{tmp_path}/media/data"
    assert mounted == {f"{tmp_path}/media": "10.0.0.4:/"}
    assert stat.S_IMODE((tmp_path / "media" / "data").stat().st_mode) == 0o750


def test_the_mode_is_set_again_at_every_mount(driver: rexray.RexrayEfs, tmp_path: Path) -> None:
    driver.mount("media", "a")
    (tmp_path / "media" / "data").chmod(0o777)
    driver.mount("media", "b")
    assert stat.S_IMODE((tmp_path / "media" / "data").stat().st_mode) == 0o750


def test_the_last_user_unmounts(driver: rexray.RexrayEfs, mounted: dict[str, str]) -> None:
    driver.mount("media", "a")
    driver.mount("media", "b")
    driver.unmount("media", "a")
    assert mounted
    driver.unmount("media", "b")
    assert not mounted
    assert driver.path("media") == ""


def test_no_mount_target_in_the_subnet(driver: rexray.RexrayEfs) -> None:
    with pytest.raises(VolumeError, match="not authorized to perform: elasticfilesystem:CreateMountTarget"):
        driver.mount("other", "a")


@pytest.mark.parametrize(
    ("call", "action"), [("create", "CreateFileSystem"), ("mount", "CreateFileSystem"), ("remove", "DeleteMountTarget")]
)
def test_neither_storage_is_made_nor_deleted(driver: rexray.RexrayEfs, call: str, action: str) -> None:
    arguments = {"create": ("typo", {}), "mount": ("typo", "a"), "remove": ("media",)}[call]
    with pytest.raises(VolumeError, match=f"AccessDeniedException: .*host-role is not authorized .*:{action} "):
        getattr(driver, call)(*arguments)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b"])
def test_a_name_cannot_leave_the_folder(driver: rexray.RexrayEfs, name: str) -> None:
    with pytest.raises(VolumeError, match="invalid volume name"):
        driver.mount(name, "a")


class FakeMetadata:
    """Version 1 metadata; `refuse` makes it answer as where tokens are required."""

    def __init__(self, refuse: bool = False, failures: int = 0) -> None:
        self.refuse = refuse
        self.failures = failures

    def region(self) -> str:
        if self.refuse:
            raise aws.AwsError("401", "Unauthorized")
        if self.failures:
            self.failures -= 1
            raise ConnectionRefusedError
        return "eu-west-1"

    def interface(self, item: str) -> str:
        return {"subnet-id": "subnet-a", "security-group-ids": "sg-1"}[item]

    def get(self, path: str) -> str:
        assert path == "meta-data/iam/security-credentials/"
        return "host-role"

    credentials = None


def test_metadata_that_wants_tokens_ends_the_plugin_at_once() -> None:
    metadata: Any = FakeMetadata(refuse=True)
    with pytest.raises(aws.AwsError, match="401"):
        rexray.start({}, metadata, patience=60)


def test_metadata_that_is_not_up_yet_is_waited_for() -> None:
    metadata: Any = FakeMetadata(failures=1)
    assert rexray.start({"EFS_REGION": "us-west-2"}, metadata, patience=5)._efs._region == "eu-west-1"


def test_plugin_settings_are_exactly_those_of_the_published_plugin() -> None:
    folder = Path(aws.__file__).parent.parent / "images" / "rexray_efs"
    config = json.loads((folder / "config.json").read_text())
    assert {entry["name"]: entry["value"] for entry in config["env"]} == {
        "DOCKER_LEGACY": "true", "REXRAY_LOGLEVEL": "warn", "REXRAY_PREEMPT": "false", "HTTP_PROXY": "",
        "LIBSTORAGE_INTEGRATION_VOLUME_OPERATIONS_MOUNT_ROOTPATH": "", "LINUX_VOLUME_ROOTPATH": "",
        "LINUX_VOLUME_FILEMODE": "", "EFS_ACCESSKEY": "", "EFS_SECRETKEY": "", "EFS_SECURITYGROUPS": "",
        "EFS_REGION": "", "EFS_TAG": "", "EFS_DISABLESESSIONCACHE": "", "EFS_STATUSINITIALDELAY": "",
        "EFS_STATUSMAXATTEMPTS": "", "EFS_STATUSTIMEOUT": "", "CSI_ENDPOINT": "",
        "X_CSI_DRIVER": "", "X_CSI_NATIVE": "",
    }  # fmt: skip
    assert all(entry["settable"] == ["value"] for entry in config["env"])
    assert (config["interface"]["socket"], config["network"]["type"]) == ("rexray.sock", "host")
    assert config["linux"] == {"allowAllDevices": True, "capabilities": ["CAP_SYS_ADMIN"]}
    assert config["propagatedMount"] == rexray.VOLUMES.rpartition("/")[0]


@pytest.mark.parametrize("options", ["accesspoint=fsap-1", "iam"])
def test_what_needs_tls_is_refused_without(options: str) -> None:
    with pytest.raises(VolumeError, match='"tls" option is required'):
        ecs_volume_plugin.parse_options(options)


def test_devices() -> None:
    assert ecs_volume_plugin.parse_device("fs-1") == ("fs-1", "/")
    assert ecs_volume_plugin.parse_device("fs-1:/data/") == ("fs-1", "/data")
    with pytest.raises(VolumeError, match="file system id"):
        ecs_volume_plugin.parse_device("/data")


def test_an_access_points_root_is_made_from_its_creation_info_and_then_left_alone() -> None:
    nfs = FakeNfs()
    creation = {"OwnerUid": 1000, "OwnerGid": 1001, "Permissions": "0750"}
    point = {"AccessPointId": "fsap-1", "RootDirectory": {"Path": "/sites/data", "CreationInfo": creation}}
    assert ecs_volume_plugin.ensure_root(nfs, point) == "/sites/data"
    assert nfs.files[b"/sites/data"] == (0o40750, 1000, 1001)
    nfs.chown(b"/sites/data", 5, 5)
    ecs_volume_plugin.ensure_root(nfs, point)
    assert nfs.files[b"/sites/data"] == (0o40750, 5, 5)


def test_a_missing_root_without_creation_info_is_refused() -> None:
    point = {"AccessPointId": "fsap-1", "RootDirectory": {"Path": "/data"}}
    with pytest.raises(VolumeError, match="fsap-1: /data does not exist"):
        ecs_volume_plugin.ensure_root(FakeNfs(), point)
    assert ecs_volume_plugin.ensure_root(FakeNfs(), {"AccessPointId": "x", "RootDirectory": {"Path": "/"}}) == "/"


def test_a_native_volume_survives_a_restart_of_the_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mounted: dict[str, str]
) -> None:
    monkeypatch.setattr(ecs_volume_plugin, "STATE", tmp_path / "state" / "volumes.json")
    monkeypatch.setattr(ecs_volume_plugin, "VOLUMES", tmp_path)
    monkeypatch.setattr(ecs_volume_plugin.EcsVolumePlugin, "_mount", lambda _, __, target: mounted.update({target: ""}))
    first = ecs_volume_plugin.EcsVolumePlugin()
    first.create("v", {"type": "efs", "device": "fs-1"})
    first.mount("v", "a")
    second = ecs_volume_plugin.EcsVolumePlugin()
    assert [volume["Name"] for volume in second.volumes()] == ["v"]
    second.unmount("v", "a")
    assert not mounted
    second.remove("v")
    assert ecs_volume_plugin.EcsVolumePlugin().volumes() == []
    with pytest.raises(VolumeError, match="only efs"):
        second.create("w", {"type": "nfs", "device": "fs-1"})


def test_a_new_file_belongs_to_its_maker_and_setgid_folders_keep_their_group() -> None:
    nfs = FakeNfs()
    system = mount.FileSystem(nfs, "/data", lambda: (1000, 1000, 1))
    nfs.mkdir(b"/data", 0o755)
    system("mkdir", "/mine", 0o755)
    assert nfs.files[b"/data/mine"] == (0o40755, 1000, 1000)
    nfs.files[b"/data/shared"] = (0o42775, 0, 50)
    system("create", "/shared/file", 0o644, SimpleNamespace(flags=os.O_WRONLY, fh=0))
    assert nfs.files[b"/data/shared/file"] == (0o100644, 1000, 50)


def test_exclusive_creation_reaches_the_server() -> None:
    system = mount.FileSystem(FakeNfs(), "/", lambda: (0, 0, 1))
    system("create", "/once", 0o644, SimpleNamespace(flags=os.O_WRONLY | os.O_EXCL, fh=0))
    with pytest.raises(FileExistsError):
        system("create", "/once", 0o644, SimpleNamespace(flags=os.O_WRONLY | os.O_EXCL, fh=0))


def test_one_of_both_times_can_be_left_alone() -> None:
    nfs = FakeNfs()
    system = mount.FileSystem(nfs, "/", lambda: (0, 0, 1))
    system("utimens", "/", (mount.UTIME_OMIT, 10**18 + 9))
    assert nfs.times[b"/"] == (7 * 10**9 + 5, 10**18 + 9)


def test_an_error_of_ours_is_an_io_error_not_the_end_of_the_mount() -> None:
    system = mount.FileSystem(SimpleNamespace(), "/", lambda: (0, 0, 1))
    with pytest.raises(OSError, match="no attribute") as failed:
        system("unlink", "/x")
    assert failed.value.errno == errno.EIO


def test_mount_points_with_spaces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text("1 0 0:1 / / rw - ext4 a rw\n2 1 0:2 / /v/a\\040b rw - fuse b rw\n3 1 0:3 / /vv rw - fuse c rw\n")
    real_open = open
    monkeypatch.setattr(
        "builtins.open", lambda path, **options: real_open(table if "mountinfo" in path else path, **options)
    )
    assert mount.mounted_below("/v") == ["/v/a b"]
    assert mount.is_mounted("/v/a b")
    assert not mount.is_mounted("/v")


@pytest.mark.parametrize("token", ["", "session"])
def test_requests_are_signed_as_botocore_signs_them(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.datetime(2026, 11, 21, 6, 0, 0, tzinfo=datetime.UTC)
    url = "http://elasticfilesystem.us-east-1.amazonaws.com/2015-02-01/mount-targets?FileSystemId=fs-1&MaxItems=100"
    ours = aws.signature(aws.Credentials("AKIA", "secret", token), "us-east-1", "elasticfilesystem", url, now)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_: now.replace(tzinfo=None))
    request = AWSRequest("GET", url)
    SigV4Auth(BotoCredentials("AKIA", "secret", token or None), "elasticfilesystem", "us-east-1").add_auth(request)
    assert ours["Authorization"] == request.headers["Authorization"]


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket, as Docker speaks it."""

    def __init__(self, path: str) -> None:
        super().__init__("docker")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


@pytest.fixture
def plugin(tmp_path: Path, driver: rexray.RexrayEfs) -> Iterator[UnixConnection]:
    server = docker_volume.server(str(tmp_path / "run" / "plugin.sock"), driver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    connection = UnixConnection(str(tmp_path / "run" / "plugin.sock"))
    yield connection
    connection.close()
    server.shutdown()
    thread.join()
    server.server_close()


def call(plugin: UnixConnection, name: str, body: Any = None, **options: Any) -> tuple[int, dict[str, Any]]:
    plugin.request("POST", f"/{name}", json.dumps(body or {}).encode() if not options else body, **options)
    answer = plugin.getresponse()
    return answer.status, json.loads(answer.read())


def test_dockers_protocol(plugin: UnixConnection, tmp_path: Path) -> None:
    assert call(plugin, "Plugin.Activate") == (200, {"Implements": ["VolumeDriver"]})
    assert call(plugin, "VolumeDriver.Capabilities")[1] == {"Capabilities": {"Scope": "global"}}
    assert call(plugin, "VolumeDriver.Create", {"Name": "media", "Opts": None}) == (200, {"Err": ""})
    data = f"{tmp_path}/media/data"
    assert call(plugin, "VolumeDriver.Mount", {"Name": "media", "ID": "a"}) == (200, {"Mountpoint": data, "Err": ""})
    assert call(plugin, "VolumeDriver.Path", {"Name": "media"})[1]["Mountpoint"] == data
    assert call(plugin, "VolumeDriver.Get", {"Name": "media"})[1]["Volume"]["Mountpoint"] == data
    assert len(call(plugin, "VolumeDriver.List")[1]["Volumes"]) == 2
    assert call(plugin, "VolumeDriver.Unmount", {"Name": "media", "ID": "a"}) == (200, {"Err": ""})
    status, answer = call(plugin, "VolumeDriver.Remove", {"Name": "media"})
    assert status == 500
    assert answer["Err"].startswith("AccessDeniedException")
    assert call(plugin, "VolumeDriver.Fly")[0] == 500


def test_docker_sends_bodies_in_chunks(plugin: UnixConnection) -> None:
    chunks = iter([b'{"Na', b'me": "media"}'])
    status, answer = call(
        plugin, "VolumeDriver.Get", chunks, encode_chunked=True, headers={"Transfer-Encoding": "chunked"}
    )
    assert (status, answer["Volume"]["Name"]) == (200, "media")
