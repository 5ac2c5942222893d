"""python examples/legacy_site/build.py: build the example site's two images.

They are tagged `legacy-site/<name>:<hash of what went in>` and `:latest`. What is there already is not built again.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PROJECT = FOLDER.parent.parent
CACHE = PROJECT / ".cache" / "legacy_site"
CA_VARIABLES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
DOWNLOAD = """
set -e
export PYTHONWARNINGS=ignore
python2.7 "$(echo /bootstrap/pip-*.whl)/pip" install --quiet --no-index --find-links /bootstrap pip setuptools wheel
python2.7 -m pip download --quiet --no-deps --require-hashes --requirement /requirements.txt --dest /packages
chown -R {owner} /packages
"""


class BuildError(Exception):
    """A command failed; the message has the end of its output."""


def main() -> int:
    """Build what is missing; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--django-base", help="image with Python 2.7, e.g. python:2.7-slim-buster (default: from Debian)"
    )
    parser.add_argument("--nginx-base", help="image for nginx, e.g. nginx:stable-alpine (default: from Debian)")
    parsed = parser.parse_args()
    try:
        django = build_django(parsed.django_base or base("base-bullseye"))
        build_nginx(parsed.nginx_base or base("base-bookworm"), django)
    except BuildError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    return 0


def base(name: str) -> str:
    """One of Berth's Debian bases, built if need be."""
    sys.path.insert(0, str(PROJECT))
    from local_aws import images

    try:
        return images.ensure(name)
    except images.BuildError as error:
        raise BuildError(str(error)) from error


def build_django(base_image: str) -> str:
    """Returns the image's reference."""
    folder = FOLDER / "django"
    reference = f"legacy-site/django:{content_hash(folder, base_image)}"
    if not is_there(reference):
        packages = download_packages(folder, base_image)
        with tempfile.TemporaryDirectory() as scratch:
            context = Path(scratch) / "django"
            shutil.copytree(folder, context, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
            shutil.copytree(packages, context / "packages")
            docker_build(reference, context, BASE=base_image)
    return finish(reference)


def build_nginx(base_image: str, django: str) -> str:
    """Returns the image's reference. The static files come from the image `django`."""
    folder = FOLDER / "nginx"
    reference = f"legacy-site/nginx:{content_hash(folder, base_image, django)}"
    if not is_there(reference):
        docker_build(reference, folder, BASE=base_image, DJANGO=django)
    return finish(reference)


def content_hash(folder: Path, *inputs: str) -> str:
    """What an image is made of, in 12 characters."""
    digest = hashlib.sha256("\0".join(inputs).encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def download_packages(folder: Path, base_image: str) -> Path:
    """All packages of the locked set, and pip itself; kept in .cache until the set changes.

    pip for Python 2.7 runs in a throw-away container. If a variable of `CA_VARIABLES` names a CA bundle, as on
    machines behind a proxy that inspects TLS, it is mounted there, and only there.
    """
    locks = [folder / "bootstrap.txt", folder / "requirements.txt"]
    target = CACHE / hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()[:12]
    if target.exists():
        return target
    print("  downloading Python 2.7 packages from PyPI …", flush=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        packages = Path(scratch) / "packages"
        packages.mkdir()
        run(
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
            "--require-hashes", "--python-version", "2.7",
            "--only-binary=:all:", "--dest", str(packages), "--requirement", str(locks[0]),
        )  # fmt: skip
        command = ["docker", "run", "--rm", "--env", "PIP_DISABLE_PIP_VERSION_CHECK=1"]
        command += ["--volume", f"{packages}:/bootstrap:ro", "--volume", f"{packages}:/packages"]
        command += ["--volume", f"{locks[1]}:/requirements.txt:ro"]
        bundles = (Path(os.environ[name]).resolve() for name in CA_VARIABLES if os.environ.get(name))
        bundle = next((path for path in bundles if path.is_file()), None)
        if bundle:
            command += ["--volume", f"{bundle}:/ca.pem:ro", "--env", "PIP_CERT=/ca.pem"]
        if "PIP_INDEX_URL" in os.environ:
            command += ["--env", "PIP_INDEX_URL"]
        run(*command, base_image, "bash", "-c", DOWNLOAD.format(owner=f"{os.getuid()}:{os.getgid()}"))
        packages.rename(target)
    return target


def docker_build(reference: str, context: Path, **arguments: str) -> None:
    """`docker build`, with the output shown only if it fails."""
    started = time.monotonic()
    print(f"  building {reference} …", flush=True)
    options = [option for name, value in arguments.items() for option in ("--build-arg", f"{name}={value}")]
    run("docker", "build", "--tag", reference, *options, str(context))
    print(f"  built in {time.monotonic() - started:.0f} s", flush=True)


def finish(reference: str) -> str:
    """Give the image its unhashed name and say what there is."""
    name = reference.rpartition(":")[0]
    run("docker", "tag", reference, f"{name}:latest")
    size = int(run("docker", "image", "inspect", "--format", "{{.Size}}", reference)) / 10**6
    print(f"{reference} ({size:.0f} MB), also {name}:latest", flush=True)
    return reference


def is_there(reference: str) -> bool:
    """Whether the engine has the image."""
    found = subprocess.run(["docker", "image", "inspect", reference], capture_output=True, check=False)
    return found.returncode == 0


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


if __name__ == "__main__":
    sys.exit(main())
