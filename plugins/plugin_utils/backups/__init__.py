"""Backups of a site: what it has at one moment, under one name, written down in its ledger and read back.

| module | has |
|---|---|
| point | the record of a backup, and where it lies |
| databases, volumes, buckets | a kind of part each: begun, looked at, let go |
| parts | the parts of one backup, by their kinds |
| planned | what AWS Backup has begun by itself, as such a record |
| drills | that they were restored beside and proven |
| table | backups as a person reads them |
"""
