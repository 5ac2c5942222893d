"""A site as data: what an inventory says of it, read, checked and turned into what templates are made of.

`reading.read_site(variables)` gives a `model.Site`: services, jobs, functions, static files, volumes, databases,
buckets, tables and secrets as dataclasses, and everything that is wrong (`problems`).
`rendering.render(site, key, run)` gives what the template of a service or job is made of: container definitions,
volumes, IAM statements, and the outputs of other stacks that it takes. Nothing here needs Ansible or asks an API.

| module | has |
|---|---|
| nouns/ | a noun each: its keys, what its entries can be asked for, what rights to them are |
| schema, kinds, container_kinds | keys as data, and kinds of values |
| container, container_words, like | containers in Compose's words, and what is no word here |
| reference, relations, secretive | references, and what may stand where |
| tasks, traffic, routes | what containers and services are to each other |
| names, room, hosts | names that AWS bounds, memory |
| moving | what one run sees otherwise than the inventory says it |
| inputs, definitions, rights, images | what templates are made of |
"""
