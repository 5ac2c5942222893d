"""Container images, built here from Debian's packages: one folder an image, with its Dockerfile.

An image is tagged with a hash of its folder and of its parents, so it is built once and again only when it changes.
The build says what it does; its output is shown when it fails.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import docker

FOLDER = Path(__file__).resolve().parent
BASES = {"base-bookworm": ("bookworm", "ca-certificates"), "base-bullseye": ("bullseye", "ca-certificates,python2.7")}
"""Images made from nothing by mmdebstrap: Debian suite, extra packages."""
EXTRA = {
    "host": {"ecs_agent": FOLDER.parent / "agent"},
}
"""Trees from elsewhere in the project that an image's build context also has, by the name that they have there."""
TRIM = ("/var/lib/apt/lists", "/var/cache/apt", "/usr/share/doc", "/usr/share/man", "/usr/share/locale")
SUITES_FILE = {
    "bookworm": "deb http://deb.debian.org/debian bookworm main\n"
    "deb http://deb.debian.org/debian bookworm-updates main\n"
    "deb http://deb.debian.org/debian-security bookworm-security main\n",
    "bullseye": "deb http://deb.debian.org/debian bullseye main\n",
}


_building = threading.RLock()
"""The parts' threads ask at the same time for images that have parents in common."""


class BuildError(RuntimeError):
    """An image could not be built; the message ends with the end of the build's output."""


def ensure(name: str, folder: Path | None = None) -> str:
    """Build the image called `name` unless it is there.

    Args:
        name: a folder of `local_aws/images`, or a base of `BASES`.
        folder: the build context, where it is not `local_aws/images/<name>`.
    Returns:
        The image's reference, `berth/<name>:<hash>`. In a Dockerfile, `FROM berth/<parent>` names a parent; it is
        built first and its reference is filled in.
    Raises:
        BuildError: with the end of the build's output.
    """
    reference = f"berth/{name}:{_hash(name, folder)}"
    client = docker.from_env(timeout=120)
    with _building:
        try:
            client.images.get(reference)
            return reference
        except docker.errors.ImageNotFound:
            pass
        if name in BASES:
            _bootstrap(name, reference)
        else:
            _build(name, folder or FOLDER / name, reference)
    return reference


def ensure_all() -> None:
    """Build every image of this folder that is not there."""
    for dockerfile in sorted(FOLDER.glob("*/Dockerfile")):
        ensure(dockerfile.parent.name)


def _hash(name: str, folder: Path | None = None) -> str:
    digest = hashlib.sha256()
    if name in BASES:
        digest.update(repr((BASES[name], TRIM, SUITES_FILE[BASES[name][0]])).encode())
    else:
        context = folder or FOLDER / name
        for tree in (context, *EXTRA.get(name, {}).values()):
            for path in sorted(p for p in tree.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
                digest.update(str(path.relative_to(tree)).encode() + b"\0" + path.read_bytes() + b"\0")
        for parent in _parents(context):
            digest.update(_hash(parent).encode())
    return digest.hexdigest()[:12]


def _parents(context: Path) -> list[str]:
    return re.findall(r"^(?:FROM|COPY --from=)\s*berth/([\w-]+)", (context / "Dockerfile").read_text(), re.MULTILINE)


def _bootstrap(name: str, reference: str) -> None:
    suite, packages = BASES[name]
    if not shutil.which("mmdebstrap"):
        raise BuildError("mmdebstrap is missing. Type: make setup")
    with tempfile.TemporaryDirectory() as scratch:
        tarball = Path(scratch) / "root.tar"
        # mmdebstrap drops the keyring check only when told to; bullseye's keys are in Debian 12's keyring too.
        command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={packages}"]
        command += [f"--dpkgopt=path-exclude={path}/*" for path in TRIM if path.startswith("/usr/share")]
        command += [f"--customize-hook=rm -rf $1{path}/*" for path in TRIM]
        _run(name, [*command, suite, str(tarball), "-"], stdin=SUITES_FILE[suite])
        _run(name, ["docker", "import", "--change", 'CMD ["/bin/bash"]', str(tarball), reference])


def _build(name: str, context: Path, reference: str) -> None:
    dockerfile = (context / "Dockerfile").read_text()
    for parent in _parents(context):
        dockerfile = re.sub(rf"berth/{parent}(?![\w:-])", ensure(parent), dockerfile)
    with tempfile.NamedTemporaryFile("w", suffix=".Dockerfile") as rendered:
        rendered.write(dockerfile)
        rendered.flush()
        with _context(context, EXTRA.get(name, {})) as complete:
            _run(name, ["docker", "build", "--force-rm", "--tag", reference, "--file", rendered.name, str(complete)])


@contextlib.contextmanager
def _context(folder: Path, extra: dict[str, Path]) -> Iterator[Path]:
    """The build context with the extra trees in it: the folder itself if there are none, or else a copy."""
    if not extra:
        yield folder
        return
    with tempfile.TemporaryDirectory() as scratch:
        complete = Path(scratch) / folder.name
        for source, target in ((folder, complete), *((path, complete / name) for name, path in extra.items())):
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        yield complete


def _run(name: str, command: list[str], stdin: str | None = None) -> None:
    started = time.monotonic()
    print(f"  building image {name}: {command[0]} {command[1]} …", file=sys.stderr, flush=True)
    done = subprocess.run(
        command, input=stdin, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-25:])
        raise BuildError(f"Image {name} could not be built ({' '.join(command[:2])}):\n{tail}")
    print(f"  image {name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
