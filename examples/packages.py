"""What images install from PyPI and npm: downloaded before `docker build`, kept in .cache until a lock file changes.

Not by `docker build`, because on a machine behind a proxy that inspects TLS that needs a CA, which belongs in no image.
"""

from __future__ import annotations

import base64
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "examples"
CA_VARIABLES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
PYTHON = "3.11"
"""Of Debian 12."""
GLIBC = ("manylinux2014", "manylinux_2_28", "manylinux_2_34")
"""The tags of wheels that Debian 12's C library (2.36) can load: https://peps.python.org/pep-0600/"""
NPM = ("10.9.9", "sha512-1g+6jLQvaIuB4zwvHL7yrXuXcWZwDsCtBX8bbWDqbvJSSr9nPiDDWTHNgwXR27iIcTTW7v3A57hDW9RYv2W4Yg==")
"""The npm that installs a package-lock.json, and its integrity in the registry's words; 10 is the last for Node 18."""
PYTHON_2_DOWNLOAD = """
set -e
export PYTHONWARNINGS=ignore
python2.7 "$(echo /bootstrap/pip-*.whl)/pip" install --quiet --no-index --find-links /bootstrap pip setuptools wheel
python2.7 -m pip download --quiet --no-deps --require-hashes --requirement /locks/requirements.txt --dest /packages
"""
NPM_INSTALL = """
set -e
cp /locks/package.json /locks/package-lock.json /packages
cd /packages
node /npm/package/bin/npm-cli.js ci --omit=dev --ignore-scripts --no-audit --no-fund --cache /tmp/npm
"""


class BuildError(Exception):
    """A command failed; the message has the end of its output."""


def add(context: Path, arguments: dict[str, str]) -> None:
    """Put what the lock files in a build context name into it: `packages/` of Python, `node_modules/` of Node.

    Args:
        context: a copy of an image's folder; it is changed.
        arguments: the build's arguments.
    Raises:
        BuildError: a download failed.
    """
    if (context / "bootstrap.txt").exists():
        shutil.copytree(python_2(context, arguments["BASE"]), context / "packages")
    elif (context / "requirements.txt").exists():
        shutil.copytree(python_3(context), context / "packages")
    elif (context / "package-lock.json").exists():
        shutil.copytree(node(context, arguments) / "node_modules", context / "node_modules", symlinks=True)


def python_3(context: Path) -> Path:
    """The installed packages of requirements.txt, for the Python of Debian 12 on this machine's processor."""

    def install(target: Path) -> None:
        tags = [option for tag in GLIBC for option in ("--platform", f"{tag}_{platform.machine()}")]
        run(
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
            "--require-hashes", "--only-binary=:all:", "--python-version", PYTHON, *tags, "--no-compile",
            "--target", str(target), "--requirement", str(context / "requirements.txt"),
        )  # fmt: skip
        # Scripts for this machine's Python; in the image they are run as modules.
        shutil.rmtree(target / "bin", ignore_errors=True)

    return kept("Python packages from PyPI", [context / "requirements.txt"], install)


def python_2(context: Path, base: str) -> Path:
    """The files of requirements.txt and pip's own, for Python 2.7; its pip runs in a throw-away container."""
    bootstrap = context / "bootstrap.txt"

    def download(target: Path) -> None:
        run(
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
            "--require-hashes", "--python-version", "2.7",
            "--only-binary=:all:", "--dest", str(target), "--requirement", str(bootstrap),
        )  # fmt: skip
        in_container(base, PYTHON_2_DOWNLOAD, {"/packages": target}, {"/bootstrap": target, "/locks": context})

    return kept("Python 2.7 packages from PyPI", [bootstrap, context / "requirements.txt"], download)


def node(context: Path, arguments: dict[str, str]) -> Path:
    """A folder with the `node_modules` of package-lock.json; npm runs in a container of the stage `node`."""

    def install(target: Path) -> None:
        options = [option for name, value in arguments.items() for option in ("--build-arg", f"{name}={value}")]
        # The last line is the id; above it may be a warning, that the classic builder is deprecated.
        build = ("docker", "build", "--quiet", "--force-rm", "--target", "node", *options, str(context))
        stage = run(*build).splitlines()[-1]
        in_container(stage, NPM_INSTALL, {"/packages": target}, {"/npm": npm(), "/locks": context})

    return kept("packages from npm", [context / "package.json", context / "package-lock.json"], install)


def npm() -> Path:
    """npm itself, which the registry has like any package; Debian's needs 400 more."""
    version, integrity = NPM
    registry = os.environ.get("NPM_CONFIG_REGISTRY", "https://registry.npmjs.org").rstrip("/")

    def unpack(target: Path) -> None:
        url = f"{registry}/npm/-/npm-{version}.tgz"
        session = requests.Session()
        session.mount(url, HTTPAdapter(max_retries=Retry(total=4, backoff_factor=1)))
        try:
            answer = session.get(url, timeout=60)
            answer.raise_for_status()
        except requests.RequestException as error:
            raise BuildError(f"npm could not be downloaded: {error}") from error
        found = "sha512-" + base64.b64encode(hashlib.sha512(answer.content).digest()).decode()
        if found != integrity:
            raise BuildError(f"{url} is {found}, not {integrity} as examples/packages.py has it.")
        tarball = target / "npm.tgz"
        tarball.write_bytes(answer.content)
        # tar keeps to its folder; tarfile's filter for that came with Python 3.11.4, and Debian 12 has 3.11.2.
        run("tar", "--extract", "--gzip", "--no-same-owner", "--directory", str(target), "--file", str(tarball))
        tarball.unlink()

    return kept(f"npm {version}", [], unpack, version)


def kept(what: str, locks: list[Path], fill: Callable[[Path], None], *inputs: str) -> Path:
    """A folder of .cache that `fill` has filled: whole or not at all, and only once for the same lock files."""
    digest = hashlib.sha256("\0".join((what, *inputs)).encode() + b"".join(lock.read_bytes() for lock in locks))
    target = CACHE / digest.hexdigest()[:12]
    if not target.exists():
        print(f"  downloading {what} …", flush=True)
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            folder = Path(scratch) / "filled"
            folder.mkdir()
            fill(folder)
            folder.rename(target)
    return target


def in_container(image: str, script: str, written: dict[str, Path], read: dict[str, Path]) -> None:
    """Run a bash script in a throw-away container; what it writes in the folders `written` belongs to this user.

    If a variable of `CA_VARIABLES` names a CA bundle, it is mounted there, and only there.
    """
    mounts = [f"{path}:{inside}" for inside, path in written.items()]
    mounts += [f"{path}:{inside}:ro" for inside, path in read.items()]
    variables = ["PIP_DISABLE_PIP_VERSION_CHECK=1"]
    bundles = (Path(os.environ[name]).resolve() for name in CA_VARIABLES if os.environ.get(name))
    if bundle := next((path for path in bundles if path.is_file()), None):
        mounts.append(f"{bundle}:/ca.pem:ro")
        variables += ["PIP_CERT=/ca.pem", "NODE_EXTRA_CA_CERTS=/ca.pem"]
    variables += [name for name in ("PIP_INDEX_URL", "NPM_CONFIG_REGISTRY") if name in os.environ]
    options = [option for mount in mounts for option in ("--volume", mount)]
    options += [option for variable in variables for option in ("--env", variable)]
    script += f"chown -R {os.getuid()}:{os.getgid()} {' '.join(written)}\n"
    run("docker", "run", "--rm", *options, image, "bash", "-c", script)


def run(*command: str) -> str:
    """Run a command and return its output.

    Raises:
        BuildError: it failed.
    """
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-25:])
        raise BuildError(f"{' '.join(command[:3])} … failed:\n{tail}")
    return done.stdout.strip()
