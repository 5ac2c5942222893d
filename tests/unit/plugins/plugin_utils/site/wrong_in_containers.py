"""Wrong values of a container's keys, each with a right one, and the complaints about them."""

from __future__ import annotations

from tests.unit.plugins.plugin_utils.site.cases import Case, beside, case, container, service


def mount(wrong: str, right: str, path: str, *words: str) -> Case:
    """The mount of a volume that there is."""
    at = "site_volumes: {{media: {{}}}}\nsite_services: {{web: {{containers: {{web: {{volumes: [{}]}}}}}}}}"
    return Case(at.format(wrong), at.format(right), f"site_services.web.containers.web.volumes.0{path}", words)


OF_CONTAINERS = {
    # Amounts
    "a reservation without a unit": container(
        "mem_reservation: 128", "mem_reservation: 128m", ".mem_reservation", "bytes, as in Compose"
    ),
    "swap without an end": container(
        "memswap_limit: -1", "memswap_limit: 1g", ".memswap_limit", "with a unit, for example 256m"
    ),
    "more memory than there is": container("mem_limit: 30000g", "mem_limit: 1g", ".mem_limit", "too much"),
    "swappiness above all": container(
        "mem_swappiness: 101", "mem_swappiness: 100", ".mem_swappiness", "a whole number from 0 to 100"
    ),
    "a part of a CPU": container("cpu_shares: 0.5", "cpu_shares: 512", ".cpu_shares", "1024 are one CPU"),
    "shared memory without a unit": container("shm_size: 64", "shm_size: 64m", ".shm_size", "64m"),
    "a duration of no whole seconds": container(
        "stop_grace_period: 1500ms", "stop_grace_period: 2s", ".stop_grace_period", "counts whole seconds", "2s"
    ),
    # Flags and texts
    "init as a number": container("init: 1", "init: true", ".init", "true or false"),
    "privileged as a text": container("privileged: 'true'", "privileged: true", ".privileged", "without quotes"),
    "tty as a text": container("tty: 'yes'", "tty: true", ".tty", "true or false"),
    "stdin_open as a list": container("stdin_open: []", "stdin_open: false", ".stdin_open", "true or false"),
    "an entrypoint of nothing": container(
        "entrypoint: []", "entrypoint: [/start.sh]", ".entrypoint", "must be a command", "/entrypoint.sh"
    ),
    "a host name that is none": container("hostname: web_1", "hostname: web-1", ".hostname", "a host name"),
    "an image without one of its names": container(
        "image: shop//web", "image: shop/web", ".image", "Write shop/django"
    ),
    "a copy without its service": service(
        "containers: {b: {like: web}}",
        "containers: {b: {like: web.web}}",
        ".containers.b.like",
        "<service>.<container>",
    ),
    "a label that is a list": container("labels: {a: [b]}", "labels: {a: b}", ".labels.a", "put it in quotes"),
    "labels as a text": container("labels: a", "labels: [a=b]", ".labels", "must be a mapping"),
    "a label twice": container("labels: [a=b, a=c]", "labels: [a=b, b=c]", ".labels.1", "Leave it once"),
    # Numbers that YAML has made of letters
    "an octal number in environment": container(
        "environment: {MODE: 0755}", "environment: {MODE: '0755'}", ".environment.MODE", "as 493", 'Write "0755", in'
    ),
    "a time in environment": container(
        "environment: {AT: 12:30:45}", "environment: {AT: '12:30:45', B: 755, C: -1, D: 0}", ".environment.AT", "45045"
    ),
    "a hexadecimal number in a label": container("labels: {a: 0x1F}", "labels: {a: '0x1F'}", ".labels.a", '"0x1F"'),
    "a number in parts among the sysctls": container(
        "sysctls: {net.core.somaxconn: 1_000}",
        "sysctls: {net.core.somaxconn: 1000}",
        ".sysctls.net.core.somaxconn",
        'Write "1_000"',
    ),
    # Flags that YAML has made of letters
    "a country in environment": container(
        "environment: {COUNTRY: NO}",
        "environment: {COUNTRY: 'NO', DEBUG: true, CACHE: false}, privileged: yes, tty: on",
        ".environment.COUNTRY",
        'is NO, which YAML reads as false. Write "NO", in quotes.',
    ),
    "a flag of Python in environment": container(
        "environment: {DEBUG: True}", "environment: {DEBUG: 'True'}", ".environment.DEBUG", 'Write "True", in quotes.'
    ),
    "a flag that is called as a secret is": container(
        "environment: {API_TOKEN: off}", "environment: {API_TOKEN: false}", ".environment.API_TOKEN", 'Write "off", in'
    ),
    "a variable that is called NO": container(
        "environment: {NO: x}", "environment: {'NO': x}", ".environment.False", "YAML reads yes, no, on", "in quotes"
    ),
    "a flag in a label": container("labels: {a: yes}", "labels: {a: 'yes', b: true}", ".labels.a", 'Write "yes", in'),
    "a flag for an address": container(
        "extra_hosts: {mail: off}", "extra_hosts: {mail: 10.20.0.5}", ".extra_hosts.mail", "is off, must be an IP"
    ),
    "two ports that YAML takes for minutes": container(
        "ports: [53:53]", "ports: [53]", ".ports.0", "as 3233", 'Write "53:53"'
    ),
    "an octal number in a command": container(
        "command: [chmod, 0755, /tmp]", "command: [chmod, '0755', /tmp]", ".command.1", 'Write "0755"'
    ),
    "a number with a sign in a healthcheck": container(
        "healthcheck: {test: [CMD, find, +5]}",
        "healthcheck: {test: [CMD, find, '+5']}",
        ".healthcheck.test.2",
        'Write "+5"',
    ),
    "a user with a nought before it": container("user: 01000", "user: '01000'", ".user", 'Write "01000"'),
    # Ports and mounts
    "a protocol that ECS has not": container(
        "ports: [8000, 53/sctp]", "ports: [8000, 53/udp]", ".ports.1", "tcp and udp"
    ),
    "a port without its number": container(
        "ports: [8000, {protocol: tcp}]", "ports: [8000, {target: 53, protocol: udp}]", ".ports.1", "target: 8000"
    ),
    "a port of zero": container(
        "ports: [8000, {target: 0, protocol: udp}]",
        "ports: [8000, {target: 1, protocol: udp}]",
        ".ports.1.target",
        "1 to",
    ),
    "a port of the host above all": container(
        "ports: [{target: 8000, published: 70000}]",
        "ports: [{target: 8000, published: 0}]",
        ".ports.0.published",
        "65535",
    ),
    "a long port's protocol": container(
        "ports: [{target: 8000, protocol: TCP}]",
        "ports: [{target: 8000, protocol: tcp}]",
        ".ports.0.protocol",
        "one of tcp, udp",
    ),
    "one port twice": container("ports: [8000, '8000/tcp']", "ports: [8000, '8000/udp']", ".ports", "Leave it once"),
    "two containers on one port of the host": service(
        "deploy: {update_config: {order: stop-first}}, containers: {web: {ports: [8000, '80:9000/udp']}, "
        "a: {image: a/b, mem_limit: 9m, ports: ['80:80/udp']}}",
        "deploy: {update_config: {order: stop-first}}, containers: {web: {ports: [8000, '80:9000/udp']}, "
        "a: {image: a/b, mem_limit: 9m, ports: ['81:80/udp']}}",
        ".containers.a.ports",
        "as web.web does",
    ),
    "a mode of a mount": mount("'media:/m:rox'", "'media:/m:ro'", "", "may stand ro or rw"),
    "a folder of the host, in long": mount(
        "{type: bind, source: media, target: /m}",
        "{type: volume, source: media, target: /m}",
        ".type",
        "gone with the host",
    ),
    "a folder in memory, in long": mount(
        "{type: tmpfs, source: media, target: /m}", "{source: media, target: /m}", ".type", "tmpfs: [/run:size=64m]"
    ),
    "a mount of nothing": mount("{target: /m}", "{source: media, target: /m}", "", "source: media"),
    "a mount of a list": mount(
        "{source: [media], target: /m}", "{source: media, target: /m}", ".source", "a volume of site_volumes"
    ),
    "a mount at no place": mount("{source: media}", "{source: media, target: /m}", "", "target: /srv/media"),
    "a long mount's relative path": mount(
        "{source: media, target: m}", "{source: media, target: /m}", ".target", "for example /m"
    ),
    "a long mount that may be read": mount(
        "{source: media, target: /m, read_only: ro}",
        "{source: media, target: /m, read_only: true}",
        ".read_only",
        "true or false",
    ),
    "two things at one path": container(
        "tmpfs: ['/run:size=1m', '/run:size=2m']",
        "tmpfs: ['/run:size=1m', '/tmp:size=2m']",
        ".volumes",
        "has two things at /run",
    ),
    "no soft limit below a hard one": container(
        "ulimits: {nofile: {soft: -1, hard: 4096}}",
        "ulimits: {nofile: {soft: 1024, hard: -1}, core: -1}",
        ".ulimits.nofile",
        "soft limit of -1, none, above its hard one of 4096",
    ),
    "a limit that no integer of ECS holds": container(
        "ulimits: {memlock: 8589934592}", "ulimits: {memlock: 2147483647}", ".ulimits.memlock", "-1 for no limit"
    ),
    "an option that no folder in memory has": container(
        "tmpfs: ['/run:size=64m,noexce']",
        "tmpfs: ['/run:size=64m,noexec,mode=1777,uid=1000']",
        ".tmpfs.0",
        "has noexce, no option that ECS takes",
        "Did you mean noexec?",
    ),
    "one folder, with a slash behind it": container(
        "tmpfs: ['/run:size=1m', '/run/:size=2m']",
        "tmpfs: ['/run/:size=1m', '/run/lock:size=2m']",
        ".volumes",
        "has two things at /run",
    ),
    "a volume for the whole container": mount("'media:/'", "'media:/m/'", "", "for example /srv/data"),
    "a long mount for the whole container": mount(
        "{source: media, target: /./}", "{source: media, target: /m/}", ".target", "stands the image"
    ),
    "a container in memory": container(
        "tmpfs: ['//:size=1m']", "tmpfs: ['/run:size=1m']", ".tmpfs.0", "for example /srv/data"
    ),
    "more variables than a task definition holds": container(
        f"environment: {{{', '.join(f'A{number}: b' for number in range(1001))}}}",
        f"environment: {{{', '.join(f'A{number}: b' for number in range(1000))}}}",
        ".environment",
        "more than 1000 variables",
    ),
    # Health, and who waits for whom
    "a health check as a text": container(
        "healthcheck: curl", "healthcheck: {test: curl}", ".healthcheck", "must be a mapping: {test:"
    ),
    "a health check of nothing": container(
        "healthcheck: {test: []}", "healthcheck: {test: [NONE]}", ".healthcheck.test", "a text for a shell"
    ),
    "a shell with two texts": container(
        "healthcheck: {test: [CMD-SHELL, curl, x]}",
        "healthcheck: {test: [CMD-SHELL, curl x]}",
        ".healthcheck.test",
        "into one text",
    ),
    "an interval below ECS's": container(
        "healthcheck: {test: x, interval: 1s}", "healthcheck: {test: x, interval: 5s}", ".healthcheck.interval", "5s to"
    ),
    "retries of none": container(
        "healthcheck: {test: x, retries: 0}", "healthcheck: {test: x, retries: 1}", ".healthcheck.retries", "1 to 10"
    ),
    "a start longer than ECS waits": container(
        "healthcheck: {test: x, start_period: 6m}",
        "healthcheck: {test: x, start_period: 5m}",
        ".healthcheck.start_period",
        "0s to 300s",
    ),
    "a health check that is off by a text": container(
        "healthcheck: {test: x, disable: 'no'}",
        "healthcheck: {test: x, disable: false}",
        ".healthcheck.disable",
        "true or false",
    ),
    "a dependency as a text": beside("depends_on: web", "depends_on: [web]", ".depends_on", "a list of containers"),
    "a dependency on a number": beside("depends_on: [1]", "depends_on: [web]", ".depends_on.0", "name of a container"),
    "ECS's word for a start": beside(
        "depends_on: {web: {condition: START}}",
        "depends_on: {web: {condition: service_started}}",
        ".depends_on.web.condition",
        "write service_started.",
    ),
    "ECS's word for an end": service(
        "containers: {web: {depends_on: {a: {condition: SUCCESS}}}, a: {image: a/b, mem_limit: 9m}}",
        "containers: {web: {depends_on: {a: {condition: service_completed_successfully}}}, "
        "a: {image: a/b, mem_limit: 9m}}",
        ".containers.web.depends_on.a.condition",
        "write service_completed_successfully.",
    ),
    "ECS's word for any end": beside(
        "depends_on: {web: {condition: COMPLETE}}",
        "depends_on: {web: {condition: service_healthy}}",
        ".depends_on.web.condition",
        "Compose has no word for it",
    ),
    "a link of two words": beside("links: ['web app']", "links: ['web:app']", ".links.0", "django:web"),
    # What the kernel has
    "limits as a number": container("ulimits: 5", "ulimits: {nproc: 5}", ".ulimits", "must be a mapping"),
    "a limit in words": container(
        "ulimits: {nofile: many}", "ulimits: {nofile: -1}", ".ulimits.nofile", "{soft: 1024, hard: 4096}"
    ),
    "a capability that is not taken": container(
        "cap_drop: [SYS_ADMN]", "cap_drop: [SYS_ADMIN]", ".cap_drop.0", "Did you mean SYS_ADMIN?"
    ),
    "a profile of the machine": container(
        "security_opt: ['seccomp:unconfined']",
        "security_opt: ['apparmor:docker-default']",
        ".security_opt.0",
        "no-new-privileges",
    ),
    "a device without its path": container("devices: [fuse]", "devices: [/dev/fuse]", ".devices.0", "/dev/fuse"),
    "a name for a name server": container("dns: [dns.acme.io]", "dns: [10.0.0.2]", ".dns.0", "10.20.0.5"),
    "a search domain with a space": container("dns_search: [a b]", "dns_search: [a.b]", ".dns_search.0", "a domain"),
    # Environment and secrets
    "a reference of one word": container(
        "environment: {A: {from: main}}",
        "environment: {A: {from: database.main.host}}",
        ".environment.A.from",
        "must be a reference",
    ),
    "a word with dots under secrets": container(
        "secrets: {A: my.secret.word}", "secrets: {A: /my/secret/word}", ".secrets.A", "not what it is", "not shown"
    ),
    "a password of a database that says none": case(
        "site_databases: {main: {endpoint: db.acme.io}}\n"
        "site_services: {web: {containers: {web: {secrets: {A: database.main.password}}}}}",
        "site_databases: {main: {endpoint: db.acme.io}}\n"
        "site_services: {web: {containers: {web: {secrets: {A: /shop/password}}}}}",
        "site_services.web.containers.web.secrets.A",
        "secret_arn: arn:…",
    ),
    "something of what tells nothing": case(
        "site_jobs: {m: {like: web.web, command: x}}\n"
        "site_services: {web: {containers: {web: {environment: {A: {from: job.m.url}}}}}}",
        "site_jobs: {m: {like: web.web, command: x}}\nsite_services: {web: {containers: {web: {environment: {A: m}}}}}",
        "site_services.web.containers.web.environment.A.from",
        "it has nothing to tell",
    ),
    "a key or certificate": container(
        "environment: {A: '-----BEGIN RSA PRIVATE KEY-----'}",
        "environment: {A: /run/key.pem}",
        ".environment.A",
        "a key or certificate in clear",
    ),
    "an image that shares a repository": service(
        "containers: {b: {image: shop-web, mem_limit: 9m}}",
        "containers: {b: {image: 'shop/web:2', mem_limit: 9m}}",
        "",
        "both would be the repository shop-web",
        "docker tag",
    ),
}
