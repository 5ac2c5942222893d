"""From a Compose file to a first description of a site, and back to a Compose file for local work.

`loading.load(path)` reads a Compose file as `docker compose` would; `describing.describe(composed, …)` makes of it the
nouns of an inventory, in the same words, and a `report.Report` of what was dropped and why, what was chosen, and what
only a person can know. `writing` makes an inventory's folder of that. The other way, `rendering.render(site)` gives a
Compose file of a site. Nothing here needs Ansible or asks an API; no secret's value leaves `secrets`.

| module | has |
|---|---|
| loading, interpolation, environment | the file, `${VARIABLES}`, files of variables |
| parts, images | what each service of the file is: a database, a store, a job, the application |
| judging | what the site's model says of a value, or of a key that it has no word for |
| keys, mounts, ports, sizes | keys of a container, in the words and bounds of that model |
| grouping | which services stand together as one task |
| variables, addresses, databases, secrets | variables of a container: what they name, or what secret they hold |
| commands | its command, into which a shell puts secrets and addresses |
| routing | which container answers from outside |
| describing, fitting, writing | the description, the hosts that it fits, the inventory's folder |
| rendering, standing_in | a Compose file of a site, and what stands in locally for what AWS has |

https://github.com/compose-spec/compose-spec/blob/main/spec.md
"""
