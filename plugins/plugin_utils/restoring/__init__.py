"""A backup taken back: what of it can be, and how it comes beside what is there.

| module | has |
|---|---|
| choice | which parts of a backup are meant, and what of it is not restored |
| instance | the instance of RDS that a snapshot is restored to, for as long as it takes |
"""
