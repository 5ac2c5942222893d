"""How a site is: asked in parts, judged, made one plain model, and shown.

| module | has |
|---|---|
| part | what was found of a part: facts, what is wrong, what is worth knowing, what could not be asked |
| stacks, hosts, services, stopped, targets, certificate, databases, volumes, schedules | a part each |
| backups, ledger, maintenance, autoscaling, alarms, costs | likewise |
| topology | who reaches what |
| model | all parts side by side, as one value that JSON can hold |
| terminal, page, picture | the model as lines, as a page, as a drawing |
| words | times and ages |
"""
