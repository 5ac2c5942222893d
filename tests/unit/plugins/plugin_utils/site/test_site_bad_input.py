"""Wrong descriptions of a site: each refused at the very key that is wrong, with what to type; the right one passes."""

from __future__ import annotations

import pytest

from plugins.plugin_utils.site.reading import read_site
from tests.unit.plugins.plugin_utils.site.cases import (
    ARN,
    MOUNTED,
    beside,
    case,
    container,
    database,
    entry,
    job,
    secret,
    service,
)
from tests.unit.plugins.plugin_utils.site.support import read, small
from tests.unit.plugins.plugin_utils.site.wrong_in_backups import OF_BACKUPS
from tests.unit.plugins.plugin_utils.site.wrong_in_containers import OF_CONTAINERS
from tests.unit.plugins.plugin_utils.site.wrong_in_edge import OF_EDGE
from tests.unit.plugins.plugin_utils.site.wrong_in_nouns import OF_NOUNS
from tests.unit.plugins.plugin_utils.site.wrong_in_waf import OF_WAF

table = entry("site_tables: items")


def indexes(number: int) -> str:
    """So many indexes of a table."""
    return "{" + ", ".join(f"by_{each}: {{partition_key: owner}}" for each in range(number)) + "}"


CASES = {
    # Keys and their values
    "an unknown key has the nearest name": container(
        "enviroment: {A: b}", "environment: {A: b}", ".enviroment", "Did you mean environment?"
    ),
    "a key of nothing tells all there are": service(
        "qqq: 1", "patch: {Service.EnableExecuteCommand: true}", ".qqq", "It may have containers,"
    ),
    "an empty key": container("command:", "command: serve", ".command", "is empty", "take the line out"),
    "memory without a unit": container(
        "mem_limit: 256", "mem_limit: 256m", ".mem_limit", "bytes, as in Compose", "256m"
    ),
    "memory in another notation": container("mem_limit: 256Mi", "mem_limit: 256mb", ".mem_limit", "for example 256m"),
    "memory of no whole MiB": container(
        "mem_limit: 256.9m", "mem_limit: 0.25g", ".mem_limit", "no whole number of MiB"
    ),
    "memory below what ECS takes": container("mem_limit: 4m", "mem_limit: 6m", ".mem_limit", "ECS takes 6m or more"),
    "a reservation above the limit": container(
        "mem_reservation: 300m", "mem_reservation: 128m", ".mem_reservation", "above mem_limit, 256m", "256m or less"
    ),
    "swap below memory": container("memswap_limit: 128m", "memswap_limit: 512m", ".memswap_limit", "256m or more"),
    "no limit of memory": case(
        "site_services: {api: {containers: {api: {image: shop/api}}}}",
        "site_services: {api: {containers: {api: {image: shop/api, mem_limit: 64m}}}}",
        "site_services.api.containers.api",
        "has no mem_limit",
        "mem_limit: 256m",
    ),
    "no image": case(
        "site_services: {api: {containers: {api: {mem_limit: 64m}}}}",
        "site_services: {api: {containers: {api: {image: shop/api, mem_limit: 64m}}}}",
        "site_services.api.containers.api",
        "has no image",
        "image: shop/django",
    ),
    "more wildcards than a rule takes": service(
        "routes: [{to: web, path: ['/*/a/*/b/*', '/*/c?/*/d/*']}]",
        "routes: [{to: web, path: ['/*/a/*/b/*', '/*/c/*/d/*']}]",
        ".routes.0",
        "has 7 wildcards",
        "Make two routes",
    ),
    "one path of two for a port": service(
        "routes: [{to: web, health: /a}, {to: web, path: /x, health: /b}]",
        "routes: [{to: web, health: /a}, {to: web, path: /x, health: /a}]",
        ".routes.1",
        "asked for one path",
        "health: /a in both",
    ),
    "an image that is none": container("image: Shop/Web", "image: 'shop/web:1.2'", ".image", "small letters"),
    "an image with capitals where no registry is": container(
        "image: ACME/web", "image: Registry.acme.io/web", ".image", "small letters"
    ),
    "another log driver": container(
        "logging: {driver: none}", "init: true", ".logging", "For another driver write patch: {TaskDefinition."
    ),
    "a duration without a unit": container(
        "stop_grace_period: 60", "stop_grace_period: 1m", ".stop_grace_period", "without a unit", "60s"
    ),
    "a duration that is none": container(
        "stop_grace_period: soon", "stop_grace_period: 60s", ".stop_grace_period", "for example 30s"
    ),
    "a flag as a text": container(
        "read_only: 'false'", "read_only: false", ".read_only", "true or false, without quotes"
    ),
    "a user that is none": container("user: 'a b'", "user: 1000", ".user", "1000:1000"),
    "a working folder that is relative": container("working_dir: app", "working_dir: /app", ".working_dir", "/app"),
    "a command that no shell reads": container(
        'command: "sh -c \'x"', "command: \"sh -c 'x'\"", ".command", "Write a list"
    ),
    "a command with what is no text": container(
        "command: [echo, [a]]", "command: [echo, a]", ".command", "Put each word in quotes"
    ),
    # Environment and secrets
    "a list in environment": container(
        "environment: {FLAGS: [a, b]}", "environment: {FLAGS: 'a,b'}", ".environment.FLAGS", "in quotes"
    ),
    "a password in a list": container(
        "environment: {DB_PASSWORD: [a]}",
        "secrets: {DB_PASSWORD: database.main.password}",
        ".environment.DB_PASSWORD",
        "is a secret in clear",
        "under secrets",
    ),
    "a pair of a list as a mapping": container(
        "environment: [DEBUG: 0]", "environment: [DEBUG=0]", ".environment.0", "is a mapping", 'DEBUG: "0"'
    ),
    "a secret that is told": case(
        "site_secrets: {key: sesame}",
        "site_secrets: {key: {parameter: /shop/key}}",
        "site_secrets.key",
        "is a text, must be a mapping",
        "parameter",
    ),
    "a fraction, which YAML may have changed": container(
        "environment: {VERSION: 1.10}", "environment: {VERSION: '1.10'}", ".environment.VERSION", "Put in quotes"
    ),
    "ECS's form of environment": container(
        "environment: [{name: DEBUG, value: '0'}]", "environment: [DEBUG=0]", ".environment.0", 'DEBUG: "0"'
    ),
    "a secret in clear whose name has dots": container(
        "environment: {spring.datasource.password: a}",
        "environment: {discovery.type: single-node, ssl.key-store-password.path: /run/x}, "
        "secrets: {spring.datasource.password: database.main.password}",
        ".environment.spring.datasource.password",
        "is a secret in clear",
    ),
    "a number that no text holds": container(
        f"environment: {{A: 1{'0' * 300}}}", f"environment: {{A: 1{'0' * 299}}}", ".environment.A", "300 digits"
    ),
    "a line break that came with a text": container(
        r'environment: {A: "a\u2028b"}', r'environment: {A: "a\nb"}', ".environment.A", "U+2028", "come as a blank"
    ),
    "a character that no template holds": container(
        r'command: [a, "b\x7f"]', "command: [a, b]", ".command.1", "U+007F", "type the text anew"
    ),
    "a name that no environment has": container(
        "environment: {'a b': c}", "environment: {A_B: c}", ".environment.a b", "no name"
    ),
    "a reserved name": container(
        "environment: {RELEASE: v1}", "environment: {VERSION: v1}", ".environment.RELEASE", "Take the line out"
    ),
    "a password in clear": container(
        "environment: {DB_PASSWORD: hunter2}",
        "secrets: {DB_PASSWORD: database.main.password}",
        ".environment.DB_PASSWORD",
        "under secrets",
        "DB_PASSWORD: secret.<entry>.<key>",
    ),
    "a token in clear": container(
        "environment: {STRIPE_TOKEN: tok_1}",
        "secrets: {STRIPE_TOKEN: /shop/stripe}",
        ".environment.STRIPE_TOKEN",
        "under secrets",
        "(/shop/api_key)",
    ),
    "an address with a password in it": container(
        "environment: {CACHE: 'redis://me:geheim@cache:6379'}",
        "environment: {CACHE: 'redis://cache:6379'}",
        ".environment.CACHE",
        "has a password in an address",
        "under secrets",
    ),
    "an access key of AWS": container(
        "environment: {KEY: AKIAIOSFODNN7EXAMPLE}", "environment: {KEY: abc}", ".environment.KEY", "uses:"
    ),
    "a reference as a text": container(
        "environment: {DB_HOST: database.main.host}",
        "environment: {DB_HOST: {from: database.main.host}}",
        ".environment.DB_HOST",
        "{from: database.main.host}",
    ),
    "a password under environment": container(
        "environment: {A: {from: database.main.password}}",
        "secrets: {A: database.main.password}",
        ".environment.A.from",
        "under secrets: {A: database.main.password}",
    ),
    "a generated secret under environment": case(
        "site_secrets: {key: {generate: [k]}}\n"
        "site_services: {web: {containers: {web: {environment: {A: {from: secret.key.k}}}}}}",
        "site_secrets: {key: {generate: [k]}}\nsite_services: {web: {containers: {web: {secrets: {A: secret.key.k}}}}}",
        "site_services.web.containers.web.environment.A.from",
        "under secrets: {A: secret.key.k}",
    ),
    "a mapping that is no reference": container(
        "environment: {A: {form: database.main.host}}",
        "environment: {A: {from: database.main.host}}",
        ".environment.A",
        "{from: database.main.host}",
    ),
    "what is plain under secrets": case(
        "site_buckets: {up: {}}\nsite_services: {web: {containers: {web: {secrets: {A: bucket.up.name}}}}}",
        "site_buckets: {up: {}}\nsite_services: {web: {containers: {web: {environment: {A: {from: bucket.up.name}}}}}}",
        "site_services.web.containers.web.secrets.A",
        "no secret",
        "environment: {A: {from: bucket.up.name}}",
    ),
    "a value under secrets": container(
        "secrets: {KEY: hunter2}",
        "secrets: {KEY: database.main.password}",
        ".secrets.KEY",
        "not what it is",
        "not shown",
    ),
    "secrets written as environment": container(
        "secrets: {KEY: {from: database.main.password}}",
        "secrets: {KEY: database.main.password}",
        ".secrets.KEY",
        "stands alone",
    ),
    "ECS's form of secrets": container(
        "secrets: [{name: A, valueFrom: b}]",
        f"secrets: {{A: '{ARN}:key'}}",
        ".secrets",
        "DB_PASSWORD: database.main.password",
    ),
    "a variable in both": container(
        "environment: {A: b}, secrets: {A: database.main.host}",
        "secrets: {A: database.main.host}",
        ".environment.A",
        "Leave it in one",
    ),
    # References
    "a reference to no noun": container(
        "environment: {A: {from: databse.main.host}}",
        "environment: {A: {from: database.main.host}}",
        ".environment.A.from",
        "Did you mean database?",
    ),
    "a reference to no entry": container(
        "secrets: {A: database.mian.password}",
        "secrets: {A: database.main.password}",
        ".secrets.A",
        "site_databases",
        "Did you mean main?",
    ),
    "a reference to no attribute": container(
        "secrets: {A: database.main.passwrd}",
        "secrets: {A: database.main.password}",
        ".secrets.A",
        "Did you mean password?",
    ),
    "an address of the database with its password": container(
        "secrets: {DATABASE_URL: database.main.url}",
        "secrets: {DB_PASSWORD: database.main.password}",
        ".secrets.DATABASE_URL",
        "DATABASE_URL=postgres://$DB_USER:$DB_PASSWORD@$DB_HOST/$DB_NAME",
    ),
    "a service that is not exposed": case(
        "site_services: {web: {containers: {web: {environment: {A: {from: service.api.url}}}}}, "
        "api: {containers: {api: {image: shop/api, mem_limit: 64m, ports: ['8000']}}}}",
        "site_services: {web: {containers: {web: {environment: {A: {from: service.api.url}}}}}, "
        "api: {containers: {api: {image: shop/api, mem_limit: 64m, ports: ['8000']}}, expose: api}}",
        "site_services.web.containers.web.environment.A.from",
        "expose: <container>",
        "api",
    ),
    # Volumes
    "a volume that is not declared": case(
        MOUNTED + "site_volumes: {medai: {}}",
        MOUNTED + "site_volumes: {media: {}}",
        "site_services.web.containers.web.volumes",
        "Did you mean medai?",
        "site_volumes",
    ),
    "a volume without a mount": case(
        "site_volumes: {media: {}}",
        MOUNTED + "site_volumes: {media: {}}",
        "site_volumes.media",
        "is mounted by no container",
        "media:/srv/media",
    ),
    "a mount without a path": container("volumes: [media]", "volumes: []", ".volumes.0", "media:/srv/media"),
    "a relative path of a mount": container("volumes: ['media:srv/media']", "volumes: []", ".volumes.0", "/srv/media"),
    "a folder of one's own machine": container(
        "volumes: ['./src:/app']", "volumes: []", ".volumes.0", "into the image", "site_volumes"
    ),
    "a volume without a name": container("volumes: [/data]", "volumes: []", ".volumes.0", "driver: task", "data:/data"),
    "a mapping of mounts": container("volumes: {media: /srv/media}", "volumes: []", ".volumes", "[media:/srv/media]"),
    "a long mount with a wrong key": case(
        "site_volumes: {m: {}}\n"
        "site_services: {web: {containers: {web: {volumes: [{source: m, target: /m, readonly: true}]}}}}",
        "site_volumes: {m: {}}\n"
        "site_services: {web: {containers: {web: {volumes: [{source: m, target: /m, read_only: true}]}}}}",
        "site_services.web.containers.web.volumes.0.readonly",
        "read_only: true",
    ),
    "an unknown driver": case(
        MOUNTED + "site_volumes: {media: {driver: nfs}}",
        MOUNTED + "site_volumes: {media: {driver: rexray}}",
        "site_volumes.media.driver",
        "efs, rexray, task",
    ),
    "a mode that YAML has changed": case(
        MOUNTED + "site_volumes: {media: {mode: 0755}}",
        MOUNTED + "site_volumes: {media: {mode: '0755'}}",
        "site_volumes.media.mode",
        "in quotes",
        '"0755"',
    ),
    "a file system that is none": case(
        MOUNTED + "site_volumes: {media: {file_system_id: media}}",
        MOUNTED + "site_volumes: {media: {file_system_id: fs-0123456789abcdef0}}",
        "site_volumes.media.file_system_id",
        "fs-0123456789abcdef0",
    ),
    "an owner of a folder that is the task's": case(
        MOUNTED + "site_volumes: {media: {driver: task, uid: 5}}",
        MOUNTED + "site_volumes: {media: {driver: task}}",
        "site_volumes.media.uid",
        "Take the line out",
    ),
    # Ports, health
    "a port that is none": container("ports: ['http']", "ports: ['8000', '53/udp']", ".ports.0", '"8000"'),
    "a port above all": container("ports: ['70000']", "ports: ['8000']", ".ports.0", '"8000"'),
    "a port with an address": container("ports: ['127.0.0.1:80:8000']", "ports: ['8000']", ".ports.0", '"80:8000"'),
    "a range of ports": container("ports: ['8000-8010']", "ports: ['8000']", ".ports.0", "each port"),
    "a port of the host beside the old task": service(
        "containers: {web: {ports: ['8000', '53:53/udp']}}",
        "containers: {web: {ports: ['8000', '53:53/udp']}}, deploy: {update_config: {order: stop-first}}",
        ".containers.web.ports",
        "beside the old one",
        "order: stop-first",
    ),
    "a port of the host that the load balancer is to reach": service(
        "containers: {web: {ports: ['8080:8000']}}, deploy: {update_config: {order: stop-first}}",
        "containers: {web: {ports: ['8000', '8000:8000/udp']}}, deploy: {update_config: {order: stop-first}}",
        ".containers.web.ports",
        "a load balancer reaches free ones only",
        '"8000"',
    ),
    "a port of the host that the internal load balancer is to reach": service(
        "containers: {web: {ports: ['8000', '6379:6379']}}, routes: [{to: web, port: 8000}], "
        "expose: {to: 'web:6379'}, deploy: {update_config: {order: stop-first}}",
        "containers: {web: {ports: ['8000', '6379']}}, routes: [{to: web, port: 8000}], "
        "expose: {to: 'web:6379'}, deploy: {update_config: {order: stop-first}}",
        ".containers.web.ports",
        "takes port 6379 of the host",
        '"6379"',
    ),
    "five ports, one of which two balancers ask": service(
        "containers: {web: {ports: [8000, 8001, 8002, 8003, 8004]}}, expose: {to: 'web:8004'}, "
        "routes: [{to: web, port: 8000}, {to: web, port: 8001, path: /1}, {to: web, port: 8002, path: /2}, "
        "{to: web, port: 8003, path: /3}, {to: web, port: 8004, path: /4}]",
        "containers: {web: {ports: [8000, 8001, 8002, 8003]}}, expose: {to: 'web:8003'}, "
        "routes: [{to: web, port: 8000}, {to: web, port: 8001, path: /1}, {to: web, port: 8002, path: /2}, "
        "{to: web, port: 8003, path: /3}]",
        "",
        "has 6 target groups",
        "(web:8000, web:8001, web:8002, web:8003, web:8004, web:8004)",
    ),
    "six ports that are asked": service(
        "containers: {web: {ports: [8000, 8001, 8002, 8003, 8004, 8005]}}, expose: {to: 'web:8005'}, "
        "routes: [{to: web, port: 8000}, {to: web, port: 8001, path: /1}, {to: web, port: 8002, path: /2}, "
        "{to: web, port: 8003, path: /3}, {to: web, port: 8004, path: /4}]",
        "containers: {web: {ports: [8000, 8001, 8002, 8003, 8004]}}, expose: {to: 'web:8004'}, "
        "routes: [{to: web, port: 8000}, {to: web, port: 8001, path: /1}, {to: web, port: 8002, path: /2}, "
        "{to: web, port: 8003, path: /3}]",
        "",
        "has 6 target groups",
        "ECS takes 5",
    ),
    "the agent's port of the host": container("ports: ['51678:8000']", "ports: ['8000']", ".ports.0", "ECS agent"),
    "a health check that ECS would not take": container(
        "healthcheck: {test: 'true', timeout: 180s}",
        "healthcheck: {test: 'true', timeout: 120s}",
        ".healthcheck.timeout",
        "ECS takes 2s to 120s",
    ),
    "a health check with words of its own": container(
        "healthcheck: {test: [curl, -f, x]}",
        "healthcheck: {test: [CMD, curl, -f, x]}",
        ".healthcheck.test",
        "CMD",
    ),
    "a health check misspelt": container(
        "healthcheck: {test: 'true', intervall: 30s}",
        "healthcheck: {test: 'true', interval: 30s}",
        ".healthcheck.intervall",
        "Did you mean interval?",
    ),
    "a health check without a test": container(
        "healthcheck: {interval: 30s}", "healthcheck: {disable: true}", ".healthcheck", "has no test", "write test:"
    ),
    # Containers of a task
    "a dependency on nobody": beside("depends_on: [wbe]", "depends_on: [web]", ".depends_on.wbe", "Did you mean web?"),
    "ECS's word for a condition": beside(
        "depends_on: {web: {condition: HEALTHY}}",
        "depends_on: {web: {condition: service_healthy}}",
        ".depends_on.web.condition",
        "service_healthy",
    ),
    "a condition without its key": beside(
        "depends_on: {web: service_healthy}",
        "depends_on: {web: {condition: service_healthy}}",
        ".depends_on.web",
        "{condition: service_healthy}",
    ),
    "waiting for health that nobody checks": service(
        "containers: {proxy: {image: a/b, mem_limit: 9m, depends_on: {web: {condition: service_healthy}}}}",
        "containers: {proxy: {image: a/b, mem_limit: 9m, depends_on: {web: {condition: service_started}}}}",
        ".containers.proxy.depends_on.web",
        "has no healthcheck",
        "web: {healthcheck:",
    ),
    "a circle of containers": service(
        "containers: {web: {depends_on: [a]}, a: {image: a/a, mem_limit: 9m, depends_on: [web]}}",
        "containers: {web: {depends_on: [a]}, a: {image: a/a, mem_limit: 9m}}",
        ".containers",
        "in a circle",
        "web",
        "Take one out",
    ),
    "a link to itself": beside("links: [proxy]", "links: ['web:app']", ".links", "no other container"),
    "links as a text": beside("links: web", "links: [web]", ".links", "must be a list"),
    "a route to what ends": service(
        "containers: {proxy: {image: a/b, mem_limit: 9m, "
        "depends_on: {web: {condition: service_completed_successfully}}}}",
        "containers: {proxy: {image: a/b, mem_limit: 9m, depends_on: {web: {condition: service_started}}}}",
        ".routes.0.to",
        "waits for to end",
        "Name one that stays",
    ),
    "a name of a container that is none": service(
        "containers: {'My App': {image: a/b, mem_limit: 9m}}",
        "containers: {my-app: {image: a/b, mem_limit: 9m}}",
        ".containers.My App",
        "small letters",
    ),
    # Like
    "like nobody": service(
        "containers: {b: {like: web.wbe}}",
        "containers: {b: {like: web.web}}",
        ".containers.b.like",
        "Did you mean web.web?",
    ),
    "like itself": service(
        "containers: {b: {like: web.b}}", "containers: {b: {like: web.web}}", ".containers.b.like", "copies itself"
    ),
    "a job that would be a server": job(
        "like: web.web",
        "like: web.web, command: [migrate]",
        "",
        "has no command",
        "command: [python, manage.py, migrate]",
    ),
    # Compose's and ECS's words that are none here
    "build": container("build: .", "image: shop/web", ".build", "image: shop/django"),
    "restart": container("restart: always", "init: true", ".restart", "take the line out"),
    "networks": container("networks: [back]", "links: []", ".networks", "expose"),
    "container_name": container("container_name: x", "hostname: x", ".container_name", "take the line out"),
    "env_file": container("env_file: .env", "environment: {A: b}", ".env_file", "under environment", "under secrets"),
    "profiles": container("profiles: [dev]", "labels: {a: b}", ".profiles", "inventory"),
    "network_mode": container("network_mode: host", "dns: [10.0.0.2]", ".network_mode", "bridge"),
    "deploy of a container": container(
        "deploy: {resources: {limits: {memory: 50M}}}", "mem_limit: 50m", ".deploy", "mem_limit: 256m"
    ),
    "memory as ECS calls it": container("memory: 256", "mem_limit: 256m", ".memory", "mem_limit: 256m"),
    "port as it was": container("port: 8000", "ports: ['8000']", ".port", 'ports: ["8000"]'),
    "essential": container("essential: false", "init: false", ".essential", "service_completed_successfully"),
    "environment of a service": service(
        "environment: {A: b}", "expose: web", ".environment", "it belongs to a container"
    ),
    "a policy": service("policy: []", "uses: {}", ".policy", "uses: {bucket.uploads: [read, write]}"),
    # Other keys of a container
    "an unknown limit": container(
        "ulimits: {nofil: 5}", "ulimits: {nofile: 5}", ".ulimits.nofil", "Did you mean nofile?"
    ),
    "a soft limit above the hard one": container(
        "ulimits: {nofile: {soft: 9, hard: 5}}", "ulimits: {nofile: {soft: 5, hard: 9}}", ".ulimits.nofile", "above"
    ),
    "a folder in memory without a size": container("tmpfs: /run", "tmpfs: '/run:size=64m'", ".tmpfs", "/run:size=64m"),
    "a sysctl of the host": container(
        "sysctls: {vm.swappiness: 1}",
        "sysctls: {net.core.somaxconn: 1024}",
        ".sysctls.vm.swappiness",
        "net.core.somaxconn",
    ),
    "an unknown capability": container(
        "cap_add: [NET_ADMN]", "cap_add: [CAP_NET_ADMIN]", ".cap_add.0", "Did you mean NET_ADMIN?"
    ),
    "a host without an address": container(
        "extra_hosts: {mail: mail}", "extra_hosts: ['mail:10.0.0.5']", ".extra_hosts.mail", "10.20.0.5"
    ),
    "a label of Berth's own": container(
        "labels: {berth.release: x}", "labels: {shop.x: x}", ".labels.berth.release", "not yours"
    ),
    # Routes and names
    "a route to nobody": service("routes: [{to: wbe}]", "routes: [{to: web}]", ".routes.0.to", "Did you mean web?"),
    "a route that is no list": service("routes: {to: web}", "routes: [{to: web}]", ".routes", "must be a list"),
    "a route to what has no port": service(
        "containers: {a: {image: a/b, mem_limit: 9m}}, routes: [{to: a}]",
        "containers: {a: {image: a/b, mem_limit: 9m, ports: ['80']}}, routes: [{to: a}]",
        ".routes.0.to",
        "has no TCP port",
        'ports: ["8000"]',
    ),
    "a route to one of two ports": service(
        "containers: {web: {ports: ['80', '81']}}",
        "containers: {web: {ports: ['80', '81']}}, routes: [{to: web, port: 81}]",
        ".routes.0.to",
        "which port",
        "port: 80",
    ),
    "two containers on one route": service(
        "containers: {a: {image: a/b, mem_limit: 9m, ports: ['80']}}, routes: [{to: web}, {to: a}]",
        "containers: {a: {image: a/b, mem_limit: 9m, ports: ['80']}}, routes: [{to: web}, {to: a, path: '/a/*'}]",
        ".routes.1",
        "every request",
        "web.web",
        "path:",
    ),
    "one number for two routes": service(
        "routes: [{to: web, priority: 150}, {to: web, path: /a, priority: 150}]",
        "routes: [{to: web, priority: 160}, {to: web, path: /a, priority: 150}]",
        ".routes.1.priority",
        "Write another",
    ),
    "a path that is none": service(
        "routes: [{to: web, path: api}]", "routes: [{to: web, path: /api}]", ".routes.0.path", "/api"
    ),
    "a health path that is none": service(
        "routes: [{to: web, health: healthz}]", "routes: [{to: web, health: /healthz}]", ".routes.0.health", "/healthz"
    ),
    "a host that the site has not": service(
        "routes: [{to: web, host: api.acme.io}]",
        "routes: [{to: web, host: www.acme.io}]",
        ".routes.0.host",
        "domain_aliases: [api.acme.io]",
    ),
    "a host with a scheme": service(
        "routes: [{to: web, host: 'https://www.acme.io'}]",
        "routes: [{to: web, host: www.acme.io}]",
        ".routes.0.host",
        "no scheme",
    ),
    "more conditions than a rule takes": service(
        "routes: [{to: web, path: [/a, /b, /c, /d, /e, /f]}]",
        "routes: [{to: web, path: [/a, /b, /c, /d, /e]}]",
        ".routes.0",
        "a rule takes 5",
        "two routes",
    ),
    "a number that redirects have": service(
        "routes: [{to: web, priority: 99}]", "routes: [{to: web, priority: 100}]", ".routes.0.priority", "Write 198"
    ),
    # Names
    "the main name as another": case(
        "domain_aliases: [www.acme.io]", "domain_aliases: [acme.io, '*.acme.io']", "domain_aliases.0", "Take it out"
    ),
    "a name twice": case(
        "domain_aliases: [acme.io, {name: acme.io, hosted_zone_id: Z1}]",
        "domain_aliases: [acme.io, {name: acme.de, hosted_zone_id: Z1}]",
        "domain_aliases.1",
        "Take it out",
    ),
    "a wildcard in the middle": case(
        "domain_aliases: ['www.*.io']", "domain_aliases: ['*.acme.io']", "domain_aliases.0", "*.acme.io"
    ),
    "one name without a list": case(
        "domain_aliases: acme.io", "domain_aliases: [acme.io]", "domain_aliases", "must be a list", "[acme.io]"
    ),
    "a name that nobody has": case(
        "domain_aliases: [shop.example.org]", "domain_aliases: [shop.acme.org]", "domain_aliases.0", "of your own"
    ),
    "a name with keys and no zone": case(
        "domain_aliases: [{name: acme.de}]",
        "domain_aliases: [{name: acme.de, hosted_zone_id: ''}]",
        "domain_aliases.0",
        "hosted_zone_id: ''",
    ),
    "a zone without a name": case(
        "domain_aliases: [{hosted_zone_id: Z1}]",
        "domain_aliases: [{name: acme.de, hosted_zone_id: Z1}]",
        "domain_aliases.0",
        "Write name: acme.de",
    ),
    "a hosted zone that is none": case(
        "domain_aliases: [{name: acme.de, hosted_zone_id: /hostedzone/Z1}]",
        "domain_aliases: [{name: acme.de, hosted_zone_id: Z1}]",
        "domain_aliases.0.hosted_zone_id",
        "begins with Z",
    ),
    "a key that a name has not": case(
        "domain_aliases: [{name: acme.de, zone: Z1, hosted_zone_id: Z1}]",
        "domain_aliases: [{name: acme.de, hosted_zone_id: Z1}]",
        "domain_aliases.0.zone",
        "no key of a name",
    ),
    "more names than a certificate has": case(
        f"domain_aliases: [{', '.join(f'a{number}.acme.io' for number in range(100))}]",
        f"domain_aliases: [{', '.join(f'a{number}.acme.io' for number in range(99))}]",
        "domain_aliases",
        "99 beside domain_name",
    ),
    # Expose, deploy, scale, uses
    "expose of two": service("expose: [web, api]", "expose: 'web:8000'", ".expose", "one address"),
    "expose of nobody": service("expose: wbe", "expose: web", ".expose", "Did you mean web?"),
    "one port of the balancer for two": case(
        "site_services: {web: {expose: web}, api: {containers: {api: {image: a/b, mem_limit: 9m, ports: ['8000']}}, "
        "expose: api}}",
        "site_services: {web: {expose: web}, api: {containers: {api: {image: a/b, mem_limit: 9m, ports: ['8000']}}, "
        "expose: {to: api, port: 8001}}}",
        "site_services.api.expose",
        "as web has",
        "expose: {to: api:8000, port: 8001}",
    ),
    "an order that is none": service(
        "deploy: {update_config: {order: stop_first}}",
        "deploy: {update_config: {order: stop-first}}",
        ".deploy.update_config.order",
        "Did you mean stop-first?",
    ),
    "a rollout that ECS has not": service(
        "deploy: {update_config: {parallelism: 2}}",
        "deploy: {replicas: 2}",
        ".deploy.update_config.parallelism",
        "take the line out",
    ),
    "limits of memory under deploy": service(
        "deploy: {resources: {}}", "deploy: {}", ".deploy.resources", "mem_limit: 256m"
    ),
    "a count beside autoscaling": service(
        "deploy: {replicas: 2}, scale: {max: 3, cpu: 60}",
        "scale: {min: 2, max: 3, cpu: 60}",
        ".deploy.replicas",
        "Take the line out",
    ),
    "limits of scale turned round": service(
        "scale: {min: 4, max: 2, cpu: 60}", "scale: {min: 2, max: 4, cpu: 60}", ".scale.min", "above max, 2", "min: 2"
    ),
    "scale by nothing": service(
        "scale: {max: 2}", "scale: {max: 2, memory: 70}", ".scale", "cpu: 60", "requests: 1000"
    ),
    "scale by requests in a second": service(
        "scale: {max: 2, rps: 9}", "scale: {max: 2, cpu: 60}", ".scale.rps", "write requests"
    ),
    "scale by requests that nobody sends": service(
        "routes: [], scale: {max: 2, requests: 9}",
        "routes: [{to: web}], scale: {max: 2, requests: 9}",
        ".scale.requests",
        "no route leads here",
        "cpu: 60",
    ),
    "scale by the requests of two ports": service(
        "containers: {web: {ports: ['80', '81']}}, scale: {max: 2, requests: 9}, "
        "routes: [{to: web, port: 80}, {to: web, port: 81, path: /x}]",
        "containers: {web: {ports: ['80', '81']}}, scale: {max: 2, cpu: 60}, "
        "routes: [{to: web, port: 80}, {to: web, port: 81, path: /x}]",
        ".scale.requests",
        "routes lead to web:80, web:81",
    ),
    "a right that is none": case(
        "site_buckets: {up: {}}\nsite_services: {web: {uses: {bucket.up: [raed]}}}",
        "site_buckets: {up: {}}\nsite_services: {web: {uses: {bucket.up: [read]}}}",
        "site_services.web.uses.bucket.up",
        "Did you mean read?",
    ),
    "rights to what is not there": case(
        "site_buckets: {up: {}}\nsite_services: {web: {uses: {bucket.upp: [read]}}}",
        "site_buckets: {up: {}}\nsite_services: {web: {uses: {bucket.up: [read]}}}",
        "site_services.web.uses.bucket.upp",
        "Did you mean up?",
    ),
    "rights to a database": service(
        "uses: {database.main: [read]}", "uses: {}", ".uses.database.main", "DB_PASSWORD: database.main.password"
    ),
    "a patch that is no property": service(
        "patch: {Service: x}", "patch: {Service.PropagateTags: NONE}", ".patch.Service", "<Resource>.<Property>"
    ),
    # Jobs
    "cron of four fields": job(
        "like: web.web, command: x, schedule: '0 3 * *'",
        "like: web.web, command: x, schedule: '0 3 * * *'",
        ".schedule",
        "0 3 * * *",
    ),
    "a minute that is none": job(
        "like: web.web, command: x, schedule: '61 3 * * *'",
        "like: web.web, command: x, schedule: '59 3 * * *'",
        ".schedule",
        "minute",
        "0 to 59",
    ),
    "AWS's form of cron": job(
        "like: web.web, command: x, schedule: 'cron(0 3 * * ? *)'",
        "like: web.web, command: x, schedule: '@daily'",
        ".schedule",
        "five fields",
    ),
    "days of both kinds": job(
        "like: web.web, command: x, schedule: '0 3 1 * 1'",
        "like: web.web, command: x, schedule: '0 3 * * 1-5'",
        ".schedule",
        "two jobs",
    ),
    "a zone that is none": job(
        "like: web.web, command: x, schedule: '@daily', zone: Europe/Zuerich",
        "like: web.web, command: x, schedule: '@daily', zone: Europe/Zurich",
        ".zone",
        "Did you mean Europe/Zurich?",
    ),
    "a schedule and a moment": job(
        "like: web.web, command: x, schedule: '@daily', run: by_hand",
        "like: web.web, command: x, run: by_hand",
        ".run",
        "leave one",
    ),
    "a moment that is none": job(
        "like: web.web, command: x, run: before-release",
        "like: web.web, command: x, run: before_release",
        ".run",
        "Did you mean before_release?",
    ),
    "a job's port": job(
        "image: a/b, mem_limit: 9m, ports: ['80']", "image: a/b, mem_limit: 9m", ".ports", "take the line out"
    ),
    # Databases, buckets, secrets, hosts
    "another engine": database("engine: mysql", "engine: postgres", ".engine", "endpoint, port and secret_arn"),
    "a version as a fraction": database("version: 15.4", "version: '15.4'", ".version", '"15"'),
    "a class that is none": database("class: t3.micro", "class: db.t3.micro", ".class", "db.t3.micro"),
    "a name that RDS keeps": database("username: admin", "username: site", ".username", "username: site"),
    "storage that cannot grow": database(
        "storage_gb: 100, storage_max_gb: 100",
        "storage_gb: 100, storage_max_gb: 110",
        ".storage_max_gb",
        "storage_max_gb: 110",
    ),
    "a database open to the world": database(
        "admin_cidrs: [0.0.0.0/0]", "admin_cidrs: [203.0.113.7/32]", ".admin_cidrs.0", "/16 or smaller"
    ),
    "an address without its prefix": database(
        "admin_cidrs: [203.0.113.7]", "admin_cidrs: [203.0.113.7/32]", ".admin_cidrs.0", "203.0.113.7/32"
    ),
    "a secret without its database": database(
        f"secret_arn: '{ARN}'", f"endpoint: db.acme.io, secret_arn: '{ARN}'", ".secret_arn", "endpoint:"
    ),
    "a setting of a database outside": database(
        "endpoint: db.acme.io, multi_az: true",
        "endpoint: db.acme.io, port: 5433",
        ".multi_az",
        "has an endpoint already",
    ),
    "a password in an inventory": database("password: geheim", "username: shop", ".password", "secret_arn: arn:"),
    "a public bucket": case(
        "site_buckets: {up: {public: true}}", "site_buckets: {up: {expire_days: 90}}", "site_buckets.up.public", "uses:"
    ),
    "a setting of a bucket that exists": case(
        "site_buckets: {up: {name: acme-up, expire_days: 9}}",
        "site_buckets: {up: {name: acme-up}}",
        "site_buckets.up.expire_days",
        "leaves as it is",
    ),
    "a table without a key": case(
        "site_tables: {items: {ttl: gone}}",
        "site_tables: {items: {partition_key: id, ttl: gone}}",
        "site_tables.items",
        "Write partition_key: id",
        "name: the name of a table",
    ),
    "a setting of a table that exists": case(
        "site_tables: {items: {name: acme-items, partition_key: id}}",
        "site_tables: {items: {name: acme-items}}",
        "site_tables.items.partition_key",
        "leaves as it is",
    ),
    "a key's type in DynamoDB's letters": table(
        "partition_key: {name: id, type: N}",
        "partition_key: {name: id, type: number}",
        ".partition_key.type",
        "write number",
    ),
    "a key without a name": table(
        "partition_key: {type: number}", "partition_key: {name: id}", ".partition_key", "{name: id, type: string}"
    ),
    "one attribute for both keys": table(
        "partition_key: id, sort_key: id", "partition_key: id, sort_key: at", ".sort_key", "as its partition_key is"
    ),
    "an attribute of two types": table(
        "partition_key: {name: id, type: string}, "
        "global_secondary_indexes: {by_id: {partition_key: {name: id, type: number}}}",
        "partition_key: {name: id, type: number}, global_secondary_indexes: {by_id: {partition_key: id}}",
        ".global_secondary_indexes.by_id.partition_key",
        "makes a number of id, and another key a string",
    ),
    "an index without a key": table(
        "partition_key: id, global_secondary_indexes: {by_owner: {}}",
        "partition_key: id, global_secondary_indexes: {by_owner: {partition_key: owner}}",
        ".global_secondary_indexes.by_owner",
        "has no partition_key",
    ),
    "a projection that is none": table(
        "partition_key: id, global_secondary_indexes: {by_owner: {partition_key: owner, projection: some}}",
        "partition_key: id, global_secondary_indexes: {by_owner: {partition_key: owner, projection: keys_only}}",
        ".global_secondary_indexes.by_owner.projection",
        "must be all, keys_only or a list of attributes",
    ),
    "an index's name that is too short": table(
        "partition_key: id, global_secondary_indexes: {by: {partition_key: owner}}",
        "partition_key: id, global_secondary_indexes: {by1: {partition_key: owner}}",
        ".global_secondary_indexes.by",
        "is no name that can stand here",
    ),
    "more indexes than there may be": table(
        f"partition_key: id, global_secondary_indexes: {indexes(21)}",
        f"partition_key: id, global_secondary_indexes: {indexes(20)}",
        ".global_secondary_indexes",
        "has 21; a table may have 20",
    ),
    "items that expire by a text": table(
        "partition_key: id, ttl: at, sort_key: at",
        "partition_key: id, ttl: at, sort_key: {name: at, type: number}",
        ".ttl",
        "is at, a string by its key",
    ),
    "a capacity": table(
        "partition_key: id, read_capacity: 5", "partition_key: id", ".read_capacity", "billed by request"
    ),
    "an attribute in quotes": table(
        """partition_key: '"id"'""", "partition_key: 'größe:1'", ".partition_key", "without spaces, quotes and braces"
    ),
    "a secret of nothing": secret("{}".strip("{}"), "generate: [k]", "", "generate: [secret_key]", "parameter: /"),
    "two generated keys": secret(
        "generate: [a, b]", "generate: [a]", ".generate", "one a secret", "key: {generate: [a]}"
    ),
    "two kinds of secret": secret(
        f"generate: [a], secret_arn: '{ARN}'", f"secret_arn: '{ARN}', keys: [a]", ".secret_arn", "two entries"
    ),
    "a secret's value": secret("value: geheim, generate: [a]", "generate: [a]", ".value", "secret_arn: arn:"),
    "a plain password beside": secret(
        "generate: [a], values: {password: x}",
        "generate: [a], values: {username: admin}",
        ".values.password",
        "generate: [password]",
    ),
    "hosts turned round": case(
        "site_hosts: {min: 3, max: 2}", "site_hosts: {min: 2, max: 3}", "site_hosts", "below min", "max: 4"
    ),
    "a limit that no host fits": container(
        "mem_limit: 8g", "mem_limit: 1g", ".mem_limit", "type t3.medium has about 3587m", "host_instance_type"
    ),
    "a task that no host fits": service(
        "containers: {web: {mem_limit: 2g}, a: {image: a/b, mem_limit: 2g}}",
        "containers: {web: {mem_limit: 800m}, a: {image: a/b, mem_limit: 800m}}",
        ".containers",
        "take 4096m together (web 2048m + a 2048m)",
        "3587m",
    ),
    "more tasks than the hosts that there are fit": case(
        "site_services: {web: {containers: {web: {mem_limit: 2g}}}}\nsite_hosts: {min: 1, max: 5}",
        "site_services: {web: {containers: {web: {mem_limit: 2g}}}}\nsite_hosts: {min: 2, max: 5}",
        "site_hosts",
        "allows 1 host of type t3.medium",
        "1 task takes 2048m, and a new task of web beside the old takes 2048m",
        "site_hosts: {min: 2}",
    ),
    "more tasks than the hosts that there may be fit": case(
        "site_services: {web: {containers: {web: {mem_limit: 2g}}, scale: {max: 4, cpu: 60}}}\nsite_hosts: {min: 2}",
        "site_services: {web: {containers: {web: {mem_limit: 2g}}, scale: {max: 4, cpu: 60}}}\n"
        "site_hosts: {min: 2, max: 5, scale: true}",
        "site_hosts",
        "4 tasks at the most take 8192m",
        "site_hosts: {min: 5}, or {max: 5, scale: true} to have them come",
    ),
    "more tasks than the hosts that may come fit": case(
        "site_services: {web: {containers: {web: {mem_limit: 2g}}, scale: {max: 4, cpu: 60}}}\n"
        "site_hosts: {min: 2, max: 4, scale: true}",
        "site_services: {web: {containers: {web: {mem_limit: 2g}}, scale: {max: 4, cpu: 60}}}\n"
        "site_hosts: {min: 5, max: 6}",
        "site_hosts",
        "allows 4 hosts",
        "Write site_hosts: {max: 5}, lower mem_limit",
    ),
    "a name that is none": case(
        "site_databases: {My_DB: {}}", "site_databases: {my-db: {}}", "site_databases.My_DB", "for example my-db"
    ),
    "two images that are one in a template": service(
        "containers: {a: {image: shop/web-1, mem_limit: 9m}, b: {image: shop/web1, mem_limit: 9m}}",
        "containers: {a: {image: shop/web-1, mem_limit: 9m}, b: {image: shop/web-2, mem_limit: 9m}}",
        "",
        "has an image shop/web1, too like shop/web-1",
        "ImageShopWeb1",
    ),
    "an image whose stack could not be called so": case(
        f"site_services: {{web: {{containers: {{web: {{image: shop/{'a' * 108}}}}}}}}}",
        f"site_services: {{web: {{containers: {{web: {{image: shop/{'a' * 107}}}}}}}}}",
        "site_services.web",
        "has 113 characters; AWS takes 112",
        "docker tag shop/",
    ),
    "a name that makes too long ones": case(
        f"site_services: {{{'a' * 64}: {{containers: {{a: {{image: a/b, mem_limit: 9m}}}}}}}}",
        f"site_services: {{{'a' * 63}: {{containers: {{a: {{image: a/b, mem_limit: 9m}}}}}}}}",
        f"site_services.{'a' * 64}",
        "is 64 characters long",
        "63 at most",
    ),
    "two names that are one in a template": case(
        "site_databases: {db-1: {}, db1: {}}",
        "site_databases: {db-1: {}, db-2: {}}",
        "site_databases.db1",
        "too like db-1",
        "DatabaseDb1",
    ),
    "a noun that is a list": case(
        "site_buckets: [up]", "site_buckets: {up: }", "site_buckets", "must be a mapping of names to buckets"
    ),
    **OF_CONTAINERS,
    **OF_NOUNS,
    **OF_EDGE,
    **OF_BACKUPS,
    **OF_WAF,
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_refused_at_its_key_with_what_to_type(name: str) -> None:
    given = CASES[name]
    problems = read_site(small(given.wrong)).problems
    shown = [str(problem) for problem in problems]
    assert len(problems) == 1, shown
    assert ".".join(map(str, problems[0].path)) == given.path, shown
    for words in given.words:
        assert words in problems[0].sentence, shown


@pytest.mark.parametrize("name", CASES)
def test_and_the_right_form_passes(name: str) -> None:
    read(small(CASES[name].right))


@pytest.mark.parametrize("every", ["1h", "2h", "3h", "4h", "6h", "8h", "12h", "24h", "1d", "7d"])
def test_as_often_as_is_advised_aws_backup_can_begin_one(every: str) -> None:
    read(small(f"{{site_databases: {{}}, site_backups: {{every: {every}, at: '04:00'}}}}"))


def test_there_are_as_many_as_the_issue_asks_for() -> None:
    assert len(CASES) >= 60


def test_everything_is_told_at_once_in_the_order_of_the_description() -> None:
    chosen = ["memory without a unit", "a route to nobody", "another engine", "hosts turned round"]
    given = small("\n".join(CASES[name].wrong for name in chosen[3:]))
    given["site_services"] = {
        "web": {
            "containers": {"web": {"image": "shop/web", "mem_limit": 256, "ports": ["8000"]}},
            "routes": [{"to": "wbe"}],
        }
    }
    given["site_databases"] = {"main": {"engine": "mysql"}}
    assert [problem.subject for problem in read_site(given).problems] == [
        "site_services.web.containers.web.mem_limit",
        "site_services.web.routes[0].to",
        "site_databases.main.engine",
        "site_hosts",
    ]


def test_what_is_missing_is_told_beside_what_is_wrong_but_not_beside_its_own_misspelling() -> None:
    text = "site_services: {{web: {{containers: {{a: {{{}, mem_limit: 64m, ports: [x]}}}}}}}}"
    told = {problem.subject.rpartition("a.")[2] for problem in read_site(small(text.format("user: me"))).problems}
    assert told == {"site_services.web.containers.a", "ports[0]"}
    told = {problem.subject.rpartition("a.")[2] for problem in read_site(small(text.format("imgae: a/b"))).problems}
    assert told == {"imgae", "ports[0]"}


def test_likes_in_a_circle_are_told_at_each_of_them() -> None:
    given = small("site_services: {web: {containers: {a: {like: web.b}, b: {like: web.a}, c: {like: web.a}}}}")
    shown = {problem.path[-2]: problem.sentence for problem in read_site(given).problems}
    assert list(shown) == ["a", "b"], "c is like one of the circle, and is right once that is"
    assert "in a circle: web.a → web.b → web.a" in shown["a"]
    assert "Write one of them out" in shown["b"]


@pytest.mark.parametrize(
    "text",
    [
        "site_services: {web: {containers: {web: {secrets: {A: hunter2}}}}}",
        "site_services: {web: {containers: {web: {secrets: {A: my.hunter2.word}}}}}",
        "site_services: {web: {containers: {web: {secrets: [A=hunter2]}}}}",
        "site_services: {web: {containers: {web: {environment: {A_PASSWORD: hunter2}}}}}",
        "site_services: {web: {containers: {web: {environment: A_PASSWORD=hunter2}}}}",
        "site_services: {web: {containers: {web: {environment: [{A_PASSWORD: hunter2}, [hunter2], 4711]}}}}",
        "site_services: {web: {containers: {web: {environment: [{name: A_PASSWORD, value: hunter2}]}}}}",
        "site_services: {web: {containers: {web: {environment: {A_PASSWORD: [hunter2]}}}}}",
        "site_services: {web: {containers: {web: {environment: {A_PASSWORD: 4711.5}}}}}",
        "site_functions: {api: {environment: {A_PASSWORD: [hunter2]}}}",
        "site_services: {web: {containers: {web: {environment: [A_PASSWORD=hunter2, hunter2]}}}}",
        "site_services: {web: {containers: {web: {environment: {A: 'x://me:hunter2@y'}}}}}",
        "site_databases: {main: {password: hunter2}}",
        "site_secrets: {key: {value: hunter2}}",
        "site_secrets: {key: hunter2}",
        "site_secrets: {key: [hunter2]}",
        "site_secrets: hunter2",
        "site_secrets: [hunter2]",
        "site_secrets: {key: {generate: [a], values: token=hunter2}}",
        "site_secrets: {key: {generate: [a], values: {token: [hunter2]}}}",
        "site_secrets: {key: {generate: [a], values: {token: hunter2}}}",
        "site_secrets: {key: {generate: [a], values: {token: 04711}}}",
        "site_services: {web: {containers: {web: {environment: {A_PASSWORD: 04711}}}}}",
    ],
)
def test_what_may_be_a_secret_is_never_shown(text: str) -> None:
    problems = read_site(small(text)).problems
    assert problems
    assert not [str(problem) for problem in problems for secret in ("hunter2", "4711") if secret in str(problem)]


def test_no_sentence_advises_to_remove_what_may_hold_data() -> None:
    for name, given in CASES.items():
        for problem in read_site(small(given.wrong)).problems:
            assert "delete" not in problem.sentence.lower(), name
            assert "remove" not in problem.sentence.lower(), name
