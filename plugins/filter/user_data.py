"""User data as EC2 takes it and cloud-init reads it: compressed, in Base64."""

from __future__ import annotations

import base64
import gzip
import io
from collections.abc import Callable


def gzip_base64(text: str) -> str:
    """`text` compressed with gzip, in Base64; equal texts give equal results, on any day.

    EC2's 16 KB count the bytes before Base64, which are the compressed ones
    (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html). cloud-init uncompresses what
    begins as gzip does (https://cloudinit.readthedocs.io/en/latest/explanation/format.html).
    """
    packed = io.BytesIO()
    # Not gzip.compress(), whose header differs between versions of Python; the time would stand in it, too.
    with gzip.GzipFile(mode="wb", fileobj=packed, mtime=0) as file:
        file.write(text.encode())
    return base64.b64encode(packed.getvalue()).decode()


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Filter name → function."""
        return {"gzip_base64": gzip_base64}
