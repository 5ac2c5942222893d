"""Which instance types a region offers, read when it is asked for: moto reads those of all regions as it is imported.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypeOfferings.html
"""

from __future__ import annotations

from typing import Any

import moto
import moto.utilities.utils

FOLDER = "ec2/resources/instance_type_offerings"
_load = moto.utilities.utils.load_resource


class Offerings(dict[str, list[dict[str, Any]]]):
    """Region → its offerings by one type of location; both `[]` and `get` read what is not there yet.

    Args:
        location_type: `region`, `availability-zone` or `availability-zone-id`.
    """

    def __init__(self, location_type: str) -> None:
        super().__init__()
        self._type = location_type

    def __missing__(self, region: str) -> list[dict[str, Any]]:
        """Read those of a region.

        Raises:
            KeyError: there is no such region.
        """
        try:
            found = _load(f"{FOLDER}/{self._type}/{region}.json")
        except FileNotFoundError:
            raise KeyError(region) from None
        self[region] = [offering | {"LocationType": self._type} for offering in found]
        return self[region]

    def get(self, region: str, default: Any = None) -> Any:
        """The offerings of a region, or `default` where there is none of that name."""
        try:
            return self[region]
        except KeyError:
            return default


def _without_offerings(resource: str) -> Any:
    return [] if resource.startswith(FOLDER) else _load(resource)


moto.utilities.utils.load_resource = _without_offerings
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS  # noqa: E402 (as it is imported, it reads them)

moto.utilities.utils.load_resource = _load
for _location_type in INSTANCE_TYPE_OFFERINGS:
    INSTANCE_TYPE_OFFERINGS[_location_type] = Offerings(_location_type)
