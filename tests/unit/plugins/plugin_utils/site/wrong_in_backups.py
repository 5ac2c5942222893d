"""Wrong values of `site_backups`, each with a right one, and the complaints about them."""

from __future__ import annotations

from tests.unit.plugins.plugin_utils.site.cases import Case, case


def backups(wrong: str, right: str, path: str, *words: str) -> Case:
    """Keys of it."""
    return case(f"site_backups: {{{wrong}}}", f"site_backups: {{{right}}}", f"site_backups{path}", *words)


OF_BACKUPS = {
    "backups that are a word": case(
        "site_backups: daily", "site_backups: {every: 1d}", "site_backups", "must be a mapping"
    ),
    "backups at a time of no unit": backups("every: 24", "every: 24h", ".every", "1d, or 12h"),
    "backups more often than can be": backups("every: 30m", "every: 1h", ".every", "1h to 90d"),
    "backups hardly ever": backups("every: 91d", "every: 90d", ".every", "1h to 90d"),
    "no backup to be kept": backups("keep: 0", "keep: 1", ".keep", "from 1 to 90"),
    "more backups than RDS has snapshots": backups("keep: 91", "keep: 90", ".keep", "from 1 to 90"),
    "backups by a schedule": backups(
        "schedule: 0 3 * * *", "every: 1d", ".schedule", "starts no backup by itself", "every: 1d"
    ),
    "backups for so many days": backups("keep_days: 35", "keep: 35", ".keep_days", "a number of backups"),
    "backups of something": backups("of: [volume.media]", "keep: 1", ".of", "holds all"),
    "backups with a drill": backups("drill: monthly", "keep: 1", ".drill", "no drill yet"),
    "backups with a key that is none": backups("evry: 1d", "every: 1d", ".evry", "Did you mean every?"),
}
