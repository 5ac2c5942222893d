"""Wrong values of `site_backups`, each with a right one, and the complaints about them."""

from __future__ import annotations

from tests.unit.plugins.plugin_utils.site.cases import Case, case


def backups(wrong: str, right: str, path: str, *words: str) -> Case:
    """Keys of it."""
    return case(f"site_backups: {{{wrong}}}", f"site_backups: {{{right}}}", f"site_backups{path}", *words)


def copied(wrong: str, right: str) -> Case:
    """Regions to copy to."""
    keys = 'every: 1d, at: "04:00", copy_to: '
    return backups(keys + wrong, keys + right, ".copy_to", "a region of AWS", "eu-west-1")


OF_BACKUPS = {
    "backups that are a word": case(
        "site_backups: daily", "site_backups: {every: 1d}", "site_backups", "must be a mapping"
    ),
    "backups at a time of no unit": backups("every: 24", "every: 24h", ".every", "1d, or 12h"),
    "backups more often than can be": backups("every: 59m", "every: 1h", ".every", "1h to 90d"),
    "backups hardly ever": backups("every: 91d", "every: 90d", ".every", "1h to 90d"),
    "no backup to be kept": backups("keep: 0", "keep: 1", ".keep", "from 1 to 90"),
    "more backups than RDS has snapshots": backups("keep: 91", "keep: 90", ".keep", "from 1 to 90"),
    "backups by a schedule": backups(
        "schedule: 0 3 * * *", 'every: 1d, at: "04:00"', ".schedule", 'at: "04:00"', "every: 1d"
    ),
    "backups at a time that YAML makes a number of": backups(
        "every: 1d, at: 12:30", 'every: 1d, at: "12:30"', ".at", "in quotes"
    ),
    "backups at no hour": backups('every: 1d, at: "24:00"', 'every: 1d, at: "23:00"', ".at", "must be a time of day"),
    "backups at no minute": backups('every: 1d, at: "04:60"', 'every: 1d, at: "04:59"', ".at", "must be a time of day"),
    "backups at an hour of one digit": backups(
        'every: 1d, at: "4:00"', 'every: 1d, at: "04:00"', ".at", "must be a time of day"
    ),
    "backups at a time and more": backups(
        'every: 1d, at: "04:00:00"', 'every: 1d, at: "04:00"', ".at", "must be a time of day"
    ),
    "backups at a time and at no distance": backups(
        'every: 24, at: "04:00"', 'every: 24h, at: "04:00"', ".every", "1d, or 12h"
    ),
    "backups at a time and nobody knows how often": backups(
        'at: "04:00"', 'every: 12h, at: "04:00"', "", "Write every: 1d"
    ),
    "backups at a time that is another each day": backups(
        'every: 5h, at: "04:00"', 'every: 6h, at: "04:00"', "", "12h, 1d or 7d"
    ),
    "backups at a time every other day": backups(
        'every: 2d, at: "04:00"', 'every: 7d, at: "04:00"', "", "12h, 1d or 7d"
    ),
    "backups in the night of a site with a database": case(
        '{site_databases: {main: {}}, site_backups: {every: 1d, at: "00:00"}}',
        '{site_databases: {}, site_backups: {every: 1d, at: "00:00"}}',
        "site_backups.at",
        "at 00:00 UTC",
    ),
    "backups while RDS is at the databases itself": case(
        '{site_databases: {main: {}}, site_backups: {every: 1d, at: "03:29"}}',
        '{site_databases: {main: {}}, site_backups: {every: 1d, at: "03:30"}}',
        "site_backups.at",
        "at 03:29 UTC",
        "from 00:00 to 03:30",
        'Write at: "04:00".',
    ),
    "backups so often that one is while RDS is at them": case(
        '{site_databases: {main: {}}, site_backups: {every: 4h, at: "04:00"}}',
        '{site_databases: {main: {}}, site_backups: {every: 6h, at: "04:00"}}',
        "site_backups.at",
        "at 00:00 UTC",
        "every: 6h, or longer",
    ),
    "backups to where the site is": case(
        '{aws_region: eu-west-1, site_backups: {every: 1d, at: "04:00", copy_to: eu-west-1}}',
        '{aws_region: us-east-1, site_backups: {every: 1d, at: "04:00", copy_to: eu-west-1}}',
        "site_backups.copy_to",
        "is eu-west-1, where the site is",
    ),
    "backups to no region": copied("Ireland", "eu-west-1"),
    "backups to a region without its number": copied("us-gov-west", "us-gov-west-1"),
    "backups to a zone": copied("eu-west-1a", "eu-west-1"),
    "backups in another region that nobody begins": backups(
        "every: 1d, copy_to: eu-west-1", 'every: 1d, at: "04:00", copy_to: eu-west-1', "", 'at: "04:00"'
    ),
    "backups for so many days": backups("keep_days: 35", "keep: 35", ".keep_days", "a number of backups"),
    "backups by an age": backups("retention: 35", "keep: 35", ".retention", "a number of backups"),
    "backups of something": backups("of: [volume.media]", "keep: 1", ".of", "holds all"),
    "backups with a drill": backups("drill: monthly", "keep: 1", ".drill", "when drill.yml is typed"),
    "backups with a key that is none": backups("evry: 1d", "every: 1d", ".evry", "Did you mean every?"),
}
