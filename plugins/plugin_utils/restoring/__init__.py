"""A backup taken back: what of it can be, and how it comes beside what is there.

| module | has |
|---|---|
| attempts | what is known of a part's restore, for the next run |
| choice | which parts of a backup are meant, and what of it is not restored |
| instance | the instance of RDS that a snapshot or a time is restored to, for as long as it takes |
| times | a time in the place of a backup: what leads back to it |
| versions | a bucket as it was, out of the old versions that it keeps |
"""
