"""Keep the static files that may be shown again, and let others go in some days."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.static_keep import DOCUMENTATION
from plugins.plugin_utils import static_release
from plugins.plugin_utils.aws_action import AwsAction
from plugins.plugin_utils.static_release import SUPERSEDED, Bucket, each_of


class ActionModule(AwsAction):
    """See plugins/modules/static_keep.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Take marks, then give others."""
        self.bucket = Bucket(self.client("s3"), self.arguments["bucket"])
        told = self.bucket.live()
        live = str(told.get("release") or "")
        if not live or (shown := self.bucket.manifest(live)) is None:
            return {"changed": False, "kept": [], "superseded": [], "lost": []}
        keys, kept, lost = self.bucket.keys(), {live}, list[str]()
        wanted = set(shown)
        for release in dict.fromkeys(map(str, self.arguments["releases"])):
            if (files := self.bucket.manifest(release)) is None or static_release.missing(release, files, keys):
                lost.append(release)
                self.say("static", f"{self.bucket.name} has not all files of {release} any more", "yellow")
            kept.add(release)
            wanted |= {key for key, each in (files or {}).items() if each.fixed}
        stay = [key for key in static_release.shown(keys) if key in wanted]
        go = [key for key in static_release.shown(keys) if key not in wanted]
        for release, own in static_release.kept_releases(keys).items():
            (stay if release in kept else go).extend(own)
        heads = self.bucket.heads([*stay, *go])
        stay = [key for key in stay if key in heads and SUPERSEDED in heads[key]["Metadata"]]
        go = [key for key in go if key in heads and SUPERSEDED not in heads[key]["Metadata"]]
        if not self.check_mode:
            each_of(stay, lambda key: self.bucket.keep(key, heads[key]))
            if go:
                self.say("static", f"{len(go)} of before to be kept for a while → {self.bucket.name}")
            each_of(go, lambda key: self.bucket.supersede(key, heads[key]))
            self.bucket.show(live, told.get("left", []), sorted(kept))
        rows = [f"= {key} is superseded, and goes in some days" for key in go]
        return {
            "changed": bool(stay or go),
            "kept": stay,
            "superseded": go,
            "lost": lost,
            "diff": [{"prepared": "\n".join(rows) + "\n"}] if rows else [],
        }
