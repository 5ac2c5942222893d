"""CloudFront's real half: an nginx for each distribution that is enabled."""

from __future__ import annotations

import hashlib
import shutil
import time
from pathlib import Path

from botocore.exceptions import ClientError
from docker.models.containers import Container
from docker.types import Mount

from local_aws import images
from local_aws.ca import authority, write_private
from local_aws.cloud import Cloud
from local_aws.edge import access_log
from local_aws.edge.configuration import Place, render
from local_aws.edge.distribution import Unsupported
from local_aws.edge.world import Known, distributions
from local_aws.part import Health, Part
from local_aws.patches import cloudfront
from local_aws.waf.modsecurity import hits
from local_aws.waf.telling import Teller

FOLDER = "/etc/edge"
ID_LABEL = "berth.local-aws.distribution"
START_SECONDS = 20
LOG_SECONDS = 60.0
"""How often what was asked for comes into the buckets of the logs."""
LISTENS = ["bash", "-c", "</dev/tcp/127.0.0.1/443"]


class Edge(Part):
    """Keeps an nginx container per distribution, with a new configuration whenever what it is made of changes.

    The image is built with the first distribution: most sites have none. The first one is published on this machine, in
    the place of the load balancer, as names lead to it.
    """

    name = "edge"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._files: dict[str, dict[str, str]] = {}
        self._troubles: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._teller = Teller(cloud, "CF", hits)
        self.logged = -LOG_SECONDS

    def prepare(self) -> None:
        cloudfront.recorded = True  # from now on something answers at their names

    def reconcile(self) -> None:
        try:
            wanted = {known.distribution.id: known for known in distributions(self.cloud)}
        except Unsupported as refused:
            self._troubles = {"": str(refused)}
            return
        self._troubles.pop("", None)
        for identifier in self._names.keys() - wanted.keys():
            self._remove(identifier)
        due = time.monotonic() - self.logged >= LOG_SECONDS
        if due:
            self.logged = time.monotonic()
        for number, (identifier, known) in enumerate(wanted.items()):
            try:
                self._keep(known, published=number == 0)
                if due:
                    self._bring(known)
                self._troubles.pop(identifier, None)
            except Exception as error:  # another one is not to wait for it
                self._troubles[identifier] = f"{type(error).__name__}: {error}"
                raise

    def health(self) -> list[Health]:
        lines = [
            Health(f"distribution {identifier or 'of CloudFront'}", False, trouble)
            for identifier, trouble in self._troubles.items()
        ]
        for identifier, name in self._names.items():
            if identifier not in self._troubles:
                where = f"{name}, https://127.0.0.1:{self.cloud.config.https_port}"
                lines.append(Health(f"distribution {identifier}", True, where))
        return lines

    # One distribution

    def _keep(self, known: Known, published: bool) -> None:
        identifier = known.distribution.id
        place = self._place(known)
        files = render(known.distribution, place, known.functions, known.invalidations, known.firewall)
        container = self._container(identifier)
        if container is None or container.status != "running":
            if container:
                container.remove(force=True)
            self._write(identifier, files)
            self._start(known, published)
        elif files != self._files.get(identifier):
            self._write(identifier, files)
            for command in (["nginx", "-t"], ["nginx", "-s", "reload"]):
                done = container.exec_run([command[0], "-p", FOLDER, "-c", f"{FOLDER}/nginx.conf", *command[1:]])
                if done.exit_code:
                    raise RuntimeError(done.output.decode(errors="replace")[-500:])
            self.log.info("distribution %s: new configuration", identifier)
        self._files[identifier] = files
        if known.firewall and container and container.status == "running":
            self._teller.tell(known.firewall, container)

    def _bring(self, known: Known) -> None:
        """Bring what nginx had written down a minute ago into the log's bucket, and let it begin another file."""
        folder, log = self._folder(known.distribution.id), known.distribution.log
        for done in sorted(folder.glob(f"{access_log.FILE}.*")):
            if log:
                self._put(log, access_log.files(done, log, known.distribution.id, known.name))
            done.unlink()
        written, container = folder / access_log.FILE, self._container(known.distribution.id)
        if log and container and written.exists() and written.stat().st_size:
            # What is written until nginx has heard of it comes into the renamed file too, which is brought next time.
            written.rename(folder / f"{access_log.FILE}.{time.time_ns()}")
            container.exec_run(["nginx", "-p", FOLDER, "-c", f"{FOLDER}/nginx.conf", "-s", "reopen"])

    def _put(self, log: access_log.Log, files: dict[str, bytes]) -> None:
        s3 = self.cloud.client("s3")
        for key, content in files.items():
            try:
                s3.put_object(Bucket=log.bucket, Key=key, Body=content)
            except ClientError as gone:  # as on AWS, where nobody is told
                self.log.info("the log %s is lost: %s", key, gone)

    def _place(self, known: Known) -> Place:
        folder = self._folder(known.distribution.id)
        names = list(dict.fromkeys([*known.distribution.names, known.name]))
        file = f"certificate-{hashlib.sha256(repr(names).encode()).hexdigest()[:16]}.pem"
        if not (folder / file).exists():
            chain, key = authority(self.cloud).issue(names)
            write_private(folder / file, chain + key)
            (folder / "authority.pem").write_text(authority(self.cloud).certificate_path.read_text())
        first = ("user root;", "daemon off;", "load_module /usr/lib/nginx/modules/ngx_http_js_module.so;")
        port = self.cloud.config.https_port
        return Place(FOLDER, "443", "80", file, "authority.pem", known.addresses, first, port)

    def _start(self, known: Known, published: bool) -> None:
        config = self.cloud.config
        ports = {443: config.https_port, 80: config.http_port} if published else {}
        for socket in self._folder(known.distribution.id).glob("*.sock"):
            socket.unlink()  # of one that was killed; nginx would take them for another's
        container = self.cloud.docker.containers.create(
            images.ensure("edge"),
            name=config.container(f"edge-{known.distribution.id.lower()}"),
            labels={**self.cloud.labels, ID_LABEL: known.distribution.id},
            mounts=[Mount(FOLDER, str(self._folder(known.distribution.id)), type="bind")],
            ports={f"{inside}/tcp": ("127.0.0.1", outside) for inside, outside in ports.items()},
            network=config.network_name,
        )
        container.start()
        deadline = time.monotonic() + START_SECONDS
        while container.exec_run(LISTENS).exit_code:
            container.reload()
            if container.status == "exited" or time.monotonic() > deadline:
                raise RuntimeError(f"nginx does not answer:\n{container.logs(tail=10).decode(errors='replace')}")
            time.sleep(0.1)
        container.reload()
        address = container.attrs["NetworkSettings"]["Networks"][config.network_name]["IPAddress"]
        self._names[known.distribution.id] = known.name
        self.cloud.publish(known.name, [address])
        self.log.info("distribution %s runs at %s", known.distribution.id, address)

    def _remove(self, identifier: str) -> None:
        self.cloud.publish(self._names.pop(identifier), [])
        if container := self._container(identifier):
            container.remove(force=True)
        shutil.rmtree(self._folder(identifier), ignore_errors=True)
        self._files.pop(identifier, None)
        self._troubles.pop(identifier, None)

    def _write(self, identifier: str, files: dict[str, str]) -> None:
        for name, text in files.items():
            write_private(self._folder(identifier) / name, text)

    def _container(self, identifier: str) -> Container | None:
        label = f"{ID_LABEL}={identifier}"
        found = self.cloud.docker.containers.list(all=True, filters={"label": label}, ignore_removed=True)
        return found[0] if found else None

    def _folder(self, identifier: str) -> Path:
        return self.cloud.config.state / "edge" / identifier
