"""python examples/build.py <site>…: build the images of example sites.

Every folder of a site with a Dockerfile is an image, tagged `<site>/<folder>:<hash of what went in>` and `:latest`.
What is there already is not built again. An `ARG` above the first `FROM` whose default is a base of Berth
(`berth/base-bookworm`) or another image of the site is filled in with the reference that was built.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

from examples import packages
from examples.packages import BuildError, run
from local_aws import images as bases

SITES = sorted({dockerfile.parent.parent.name for dockerfile in FOLDER.glob("*/*/Dockerfile")})
ARGUMENT = re.compile(r"^ARG (\w+)=([\w-]+)/([\w-]+)$", re.MULTILINE)


def main(arguments: list[str] | None = None) -> int:
    """Build what is missing; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sites", nargs="+", choices=SITES, metavar="site", help=", ".join(SITES))
    parser.add_argument(
        "--base", action="append", default=[], metavar="IMAGE=REFERENCE", type=pair,
        help="build on another base, e.g. django=python:3.11-slim-bookworm (default: made from Debian's packages)",
    )  # fmt: skip
    parsed = parser.parse_args(arguments)
    try:
        for site in parsed.sites:
            Site(site, dict(parsed.base)).build()
    except (BuildError, bases.BuildError) as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    return 0


def pair(text: str) -> tuple[str, str]:
    """`django=python:3.11-slim` as two words."""
    image, equals, reference = text.partition("=")
    if not (image and equals and reference):
        raise argparse.ArgumentTypeError(f"{text!r} is not IMAGE=REFERENCE, e.g. django=python:3.11-slim-bookworm")
    return image, reference


class Site:
    """One example site and the images that were built for it."""

    def __init__(self, name: str, own_bases: dict[str, str]) -> None:
        """`own_bases`: the base to build an image on, by the image's folder.

        Raises:
            BuildError: a base for an image that the site has not.
        """
        self.folder = FOLDER / name
        self.prefix = name.replace("_", "-")
        self.images = sorted(dockerfile.parent.name for dockerfile in self.folder.glob("*/Dockerfile"))
        self.own_bases = own_bases
        self.references: dict[str, str] = {}
        if unknown := sorted(set(own_bases) - set(self.images)):
            raise BuildError(f"{name} has no image {', '.join(unknown)}; it has {', '.join(self.images)}.")

    def build(self) -> None:
        """Build every image that is missing."""
        for image in self.images:
            self.reference(image)

    def reference(self, image: str) -> str:
        """The image's reference; it is built first unless it is there."""
        if image not in self.references:
            folder = self.folder / image
            filled = self.filled_in(folder)
            reference = f"{self.prefix}/{image}:{content_hash(folder, *filled.values())}"
            if not is_there(reference):
                docker_build(reference, folder, filled)
            self.references[image] = finish(reference)
        return self.references[image]

    def filled_in(self, folder: Path) -> dict[str, str]:
        """The values of the Dockerfile's arguments that name an image which is built here."""
        found = {}
        for argument, prefix, name in ARGUMENT.findall((folder / "Dockerfile").read_text()):
            if prefix == "berth":
                found[argument] = self.own_bases.get(folder.name) or bases.ensure(name)
            elif prefix == self.prefix:
                found[argument] = self.reference(name)
        return found


def content_hash(folder: Path, *inputs: str) -> str:
    """What an image is made of, in 12 characters."""
    digest = hashlib.sha256("\0".join(inputs).encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def docker_build(reference: str, folder: Path, arguments: dict[str, str]) -> None:
    """`docker build` in a copy of the folder that has the packages too; the output is shown only if it fails."""
    with tempfile.TemporaryDirectory() as scratch:
        context = Path(scratch) / folder.name
        shutil.copytree(folder, context, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        packages.add(context, arguments)
        started = time.monotonic()
        print(f"  building {reference} …", flush=True)
        options = [option for name, value in arguments.items() for option in ("--build-arg", f"{name}={value}")]
        run("docker", "build", "--force-rm", "--tag", reference, *options, str(context))
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


if __name__ == "__main__":
    sys.exit(main())
