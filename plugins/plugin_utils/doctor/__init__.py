"""What ails a site: lines of everything that says something, recognised by a table, with what to type.

| module | has |
|---|---|
| signature | what a failure is known by, and the line in which it is found |
| signatures | the table: the one place that knows AWS's, ECS's, Docker's and the agents' words |
| evidence | the lines of what `status` has read, `verify` has tried, and a host has said |
| asking | what else AWS is asked: events, scaling activities, dead letters, logs, errors of the balancer |
| machines | what EC2 and ECS say of a host, and its console where nobody can log in |
| judging | what the lines come to |
| showing | that, as lines of a terminal |
"""
