#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: backup_choice
short_description: Read which parts of a backup are to be restored, or what leads back to a time
description:
  - Reads the record of the backup in the environment's ledger, sees that it is whole and that the parts that are meant
    are there still, and says what of it is not restored. Changes nothing of the site; a backup that AWS Backup has
    begun by itself is written down there, as restores of it are noted.
  - With O(time) there is no backup. A database is led back by RDS, within the window that it tells; of a volume it is
    the newest recovery point that is not later, and is said how much earlier it is; of a bucket its old versions. If
    something of what is meant does not lead there, nothing is restored. Such a time is written down as well, beside the
    backups.
  - With O(other) the backup is one of another environment. Its ledger and its vault are read, and nothing of it is
    changed; its lock is not taken. What is noted of the restore is noted in the ledger of O(prefix).
extends_documentation_fragment: [ledger]
options:
  name:
    description: Of the backup; the newest good one if empty.
    type: str
    default: ""
  typed:
    description: Noun to the entry that was typed, for example C({database} main); all parts if none was.
    type: dict
    default: {}
  entries:
    description: Noun to the names of its entries in the site.
    type: dict
    default: {}
  time:
    description: A time instead of a backup, as ISO 8601 has it, with its zone; none if empty.
    type: str
    default: ""
  own:
    description: For O(time), noun to the names of those of its entries that Berth has made and can restore.
    type: dict
    default: {}
  days:
    description: For O(time), bucket to the days for which it keeps old versions.
    type: dict
    default: {}
  other:
    description: Name of the environment that the backup is of, where that is another one.
    type: str
    default: ""
  other_prefix:
    description: For O(other), begin of the names of its stacks.
    type: str
    default: ""
  other_bucket:
    description: For O(other), its ledger's bucket, where it is not the one of its layer ledger.
    type: str
    default: ""
  typed_with:
    description: File of the verb that was typed.
    type: str
    default: restore.yml
author: Berth
"""

EXAMPLES = r"""
- name: Read the backup
  backup_choice:
    prefix: shop-prod
    name: before-the-move
    typed: {database: main}
    entries: "{{ lookup('site', 'entries') }}"

- name: Read the newest backup of the environment beside
  backup_choice:
    prefix: shop-pr7
    other: test
    other_prefix: shop-test
    entries: "{{ lookup('site', 'entries') }}"

- name: See what leads back to a time
  backup_choice:
    prefix: shop-prod
    time: "2026-11-27T10:00Z"
    own: {database: [main]}
    entries: "{{ lookup('site', 'entries') }}"
"""

RETURN = r"""
name:
  description: Of the backup; of a time, C(time-2026-11-27-100000); of another environment, C(test.before-the-move).
  returned: always
  type: str
parts:
  description: Key (C(database.main)) to the part of the backup.
  returned: always
  type: dict
services:
  description: Service to C(task_definition) of the release that was live then.
  returned: always
  type: dict
started:
  description: When the backup was begun, or the time.
  returned: always
  type: str
without:
  description: A sentence for each thing of the backup, or of the site, that is not restored.
  returned: always
  type: list
"""
