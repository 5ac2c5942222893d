"""Wrong values of the nouns' keys, each with a right one, and the complaints about them."""

from __future__ import annotations

from tests.unit.plugins.plugin_utils.site.cases import ARN, MOUNTED, Case, case, database, entry, job, secret, service

bucket = entry("site_buckets: up")
table = entry("site_tables: items")
function = entry(
    "site_functions: api",
    "site_tables: {items: {partition_key: id}}\nsite_secrets: {key: {generate: [value], values: {username: admin}}}",
)
static = entry("site_static: front")
volume = entry("site_volumes: media", MOUNTED)
api = entry("site_services: api")
scheduled = "like: web.web, command: x, overlap: allowed, schedule: "
ELEVEN = ", ".join(f"c{number}: {{image: a/b, mem_limit: 6m}}" for number in range(11))
KEY = "arn:aws:kms:eu-west-1:123456789012:key/0123abcd"

USING_MEDIA = (
    "site_volumes: {media: {}}\nsite_services: {web: {containers: {web: {volumes: ['media:/srv/media']}}, uses: {%s}}}"
)


def cron(wrong: str, right: str, *words: str) -> Case:
    """A schedule."""
    return job(f"{scheduled}'{wrong}'", f"{scheduled}'{right}'", ".schedule", *words)


CALLED = "code: api, handler: app.handler, runtime: python3.13, routes: [GET /]"


def called(wrong: str, right: str, path: str, *words: str) -> Case:
    """In the function api, which has all that it must have, less what is given."""
    whole = {part.partition(":")[0]: part for part in CALLED.split(", ")}

    def made(given: str) -> str:
        return ", ".join([given, *(part for key, part in whole.items() if not given.startswith(f"{key}:"))])

    return function(made(wrong), made(right), path, *words)


OF_NOUNS = {
    "a generated secret of no key": secret(
        "generate: [], values: {username: admin}",
        "generate: [password], values: {username: admin}",
        ".generate",
        "must be a list, for example [secret_key]",
    ),
    "an owner with a nought before it": volume(
        "uid: 01000", "uid: 1000, gid: 0x3E8", ".uid", "is 01000, which YAML reads as 512", "without a nought"
    ),
    "the zone of a machine": job(
        f"{scheduled}'0 3 * * *', zone: localtime",
        f"{scheduled}'0 3 * * *', zone: America/Argentina/ComodRivadavia",
        ".zone",
        "is 'localtime', no time zone",
    ),
    "a mode of three digits": volume("mode: '775'", "mode: '2775'", ".mode", "four octal digits"),
    "days in sixties": bucket(
        "expire_days: 1:30", "expire_days: 1_000", ".expire_days", "is 1:30, which YAML reads as 90"
    ),
    # Services
    "a site of nothing": case(
        "site_services: {}",
        "site_services: {web: {containers: {web: {image: shop/web}}}}",
        "site_services",
        "a site runs something",
        "site_services: {web:",
    ),
    "a service of nothing": api("", "containers: {a: {image: a/b, mem_limit: 9m}}", "", "has no containers", "django"),
    "containers as a list": api(
        "containers: [{image: a/b}]",
        "containers: {a: {image: a/b, mem_limit: 9m}}",
        ".containers",
        "a mapping of names to containers",
    ),
    "more containers than a task has": api(
        f"containers: {{{ELEVEN}}}",
        f"containers: {{{ELEVEN.partition(', c10')[0]}}}",
        ".containers",
        "has 11 containers",
        "10 at most",
    ),
    "a service that is a text": case(
        "site_services: {api: shop/api}",
        "site_services: {api: {containers: {a: {image: a/b, mem_limit: 9m}}}}",
        "site_services.api",
        "a mapping of keys to values",
    ),
    "a route to two words": service("routes: [{to: a b}]", "routes: [{to: web}]", ".routes.0.to", "of this service"),
    "a route to nothing": service("routes: [{path: /a}]", "routes: [{to: web, path: /a}]", ".routes.0", "to: nginx"),
    "a route to a port that is none": service(
        "routes: [{to: web, port: 0}]", "routes: [{to: web, port: 8000}]", ".routes.0.port", "from 1 to 65535"
    ),
    "a route to a port that it has not": service(
        "routes: [{to: web, port: 80}]", "routes: [{to: web, port: 8000}]", ".routes.0.to", "which has 8000"
    ),
    "a route of no path": service(
        "routes: [{to: web, path: []}]", "routes: [{to: web, path: [/a]}]", ".routes.0.path", "must be a list"
    ),
    "expose as a number": service("expose: 8000", "expose: 'web:8000'", ".expose", "redis:6379"),
    "expose of nobody's port": service(
        "expose: {port: 80}", "expose: {to: web, port: 80}", ".expose", "Name the container that listens"
    ),
    "expose of a sentence": service("expose: {to: the web}", "expose: {to: web}", ".expose.to", "must be a container"),
    "expose at a port that is none": service(
        "expose: {to: web, port: 0}", "expose: {to: web, port: 80}", ".expose.port", "from 1 to 65535"
    ),
    "a scheme with its colon": service(
        "expose: {to: web, scheme: 'http:'}", "expose: {to: web, scheme: http}", ".expose.scheme", "for example redis"
    ),
    "a count below none": service("deploy: {replicas: -1}", "deploy: {replicas: 2}", ".deploy.replicas", "0 to 1000"),
    "deploy as a number": service("deploy: 2", "deploy: {replicas: 2}", ".deploy", "replicas, update_config"),
    "an update as a word": service(
        "deploy: {update_config: stop-first}",
        "deploy: {update_config: {order: stop-first}}",
        ".deploy.update_config",
        "keys to values: order",
    ),
    "scale as a number": service("scale: 3", "scale: {max: 3, cpu: 60}", ".scale", "min, max, cpu, memory, requests"),
    "scale from less than none": service(
        "scale: {min: -1, max: 2, cpu: 60}", "scale: {min: 0, max: 2, cpu: 60}", ".scale.min", "from 0 to 1000"
    ),
    "scale to none": service("scale: {max: 0, cpu: 60}", "scale: {max: 1, cpu: 60}", ".scale.max", "from 1 to 1000"),
    "scale without an end": service("scale: {cpu: 60}", "scale: {max: 4, cpu: 60}", ".scale", "has no max", "max: 4"),
    "scale by idle hosts": service(
        "scale: {max: 2, cpu: 5}", "scale: {max: 2, cpu: 10}", ".scale.cpu", "of percent from 10 to 90"
    ),
    "scale by full memory": service(
        "scale: {max: 2, memory: 100}", "scale: {max: 2, memory: 90}", ".scale.memory", "of percent from 10 to 90"
    ),
    "scale by no request": service(
        "routes: [{to: web}], scale: {max: 2, requests: 0}",
        "routes: [{to: web}], scale: {max: 2, requests: 1}",
        ".scale.requests",
        "of requests a minute from 1 to 1000000",
    ),
    "rights as a number": case(
        "site_buckets: {up: {}}\nsite_services: {web: {uses: {bucket.up: 7}}}",
        "site_buckets: {up: {}}\nsite_services: {web: {uses: {bucket.up: read}}}",
        "site_services.web.uses.bucket.up",
        "[read, write]",
    ),
    "rights to a noun": service("uses: {bucket: [read]}", "uses: {}", ".uses.bucket", "<noun>.<entry>"),
    "rights to oneself": service("uses: {service.web: [read]}", "uses: {}", ".uses.service.web", "by expose"),
    "rights to a job": case(
        "site_jobs: {m: {like: web.web, command: x}}\nsite_services: {web: {uses: {job.m: [read]}}}",
        "site_jobs: {m: {like: web.web, command: x}}",
        "site_services.web.uses.job.m",
        "run by run.yml",
    ),
    "rights to a volume": case(
        USING_MEDIA % "volume.media: [read]",
        USING_MEDIA % "",
        "site_services.web.uses.volume.media",
        "volumes: [media:/srv/media] of a container",
    ),
    "a patch of Fargate's disk": service(
        "patch: {TaskDefinition.EphemeralStorage.SizeInGiB: 30}",
        "patch: {Service.PropagateTags: NONE}",
        ".patch.TaskDefinition.EphemeralStorage.SizeInGiB",
        "is Fargate's",
        "Write host_volume_gb: 60.",
    ),
    "a patch of an accelerator": service(
        "patch: {TaskDefinition.InferenceAccelerators: [{DeviceName: d, DeviceType: eia2.medium}]}",
        "patch: {TaskDefinition.PidMode: task}",
        ".patch.TaskDefinition.InferenceAccelerators",
        "Elastic Inference's, which AWS has ended",
    ),
    "a patch of a proxy": service(
        "patch: {TaskDefinition.ProxyConfiguration: {ContainerName: envoy}}",
        "patch: {Service.PropagateTags: NONE}",
        ".patch.TaskDefinition.ProxyConfiguration",
        "App Mesh's",
        "by expose",
    ),
    "a patch of a volume of Windows": service(
        "patch: {TaskDefinition.Volumes: [{Name: a, FSxWindowsFileServerVolumeConfiguration: {FileSystemId: f}}]}",
        "patch: {TaskDefinition.Volumes: [{Name: a}]}",
        ".patch.TaskDefinition.Volumes",
        "the hosts run Linux",
    ),
    "a patch of a named volume of Windows, in a job": job(
        "like: web.web, command: x, "
        "patch: {TaskDefinition.Volumes.a.FSxWindowsFileServerVolumeConfiguration.FileSystemId: f}",
        "like: web.web, command: x, patch: {TaskDefinition.Volumes.a.Host.SourcePath: /srv}",
        ".patch.TaskDefinition.Volumes.a.FSxWindowsFileServerVolumeConfiguration.FileSystemId",
        "Mount an entry of site_volumes",
    ),
    "a patch as a text": service("patch: x", "patch: {Service.PropagateTags: NONE}", ".patch", "must be a mapping"),
    # Jobs
    "a schedule as a number": job(f"{scheduled}5", f"{scheduled}'0 5 * * *'", ".schedule", "a line of cron in quotes"),
    "a zone without a schedule": job(
        "like: web.web, command: x, zone: UTC", "like: web.web, command: x", ".zone", "belongs to a schedule"
    ),
    "a zone of no place": job(
        f"{scheduled}'@daily', zone: Qqqqq", f"{scheduled}'@daily', zone: UTC", ".zone", "for example Europe/Zurich"
    ),
    "a moment after it": job(
        "like: web.web, command: x, run: after_release",
        "like: web.web, command: x, run: before_release",
        ".run",
        "no such moment",
    ),
    "a job that is over at once": job(
        "like: web.web, command: x, minutes: 0", "like: web.web, command: x, minutes: 1", ".minutes", "from 1 to 1440"
    ),
    "a page for a job by hand": job(
        "like: web.web, command: x, maintenance: true",
        "like: web.web, command: x, maintenance: true, run: before_release",
        ".maintenance",
        "of a job that no release waits for",
    ),
    "a page as a text": job(
        "like: web.web, command: x, run: before_release, maintenance: 'yes'",
        "like: web.web, command: x, run: before_release, maintenance: true",
        ".maintenance",
        "must be true or false",
    ),
    "rights of a job as a list": job(
        "like: web.web, command: x, uses: [read]", "like: web.web, command: x, uses: {}", ".uses.0", "bucket.uploads:"
    ),
    "a patch of a job as a list": job(
        "like: web.web, command: x, patch: [a]", "like: web.web, command: x, patch: {}", ".patch", "must be a mapping"
    ),
    "runs that would overlap": job(
        "like: web.web, command: x, schedule: '*/5 * * * *', minutes: 6",
        "like: web.web, command: x, schedule: '*/5 * * * *', minutes: 5",
        ".schedule",
        "5 minutes apart, and one may take 6 (minutes)",
        "Write minutes: 5, or overlap: allowed",
    ),
    "an overlap without a schedule": job(
        "like: web.web, command: x, overlap: allowed", "like: web.web, command: x", ".overlap", "belongs to a schedule"
    ),
    "an overlap that is no word": job(
        "like: web.web, command: x, schedule: '@daily', overlap: alowed",
        "like: web.web, command: x, schedule: '@daily', overlap: allowed",
        ".overlap",
        "must be one of refused, allowed. Did you mean allowed?",
    ),
    "AWS's sign for no day": cron("0 3 ? * 1", "0 3 * * 1", "a line of cron has * there"),
    "AWS's last day": cron("0 3 L * *", "0 3 28 * *", "name a day that every month has"),
    "a word that cron has not": cron("@dayly", "@daily", "Did you mean @daily?"),
    "a moment that no host has": cron("@reboot", "@daily", "no moment at which a host starts"),
    "a day that never comes": cron("0 0 30 2 *", "0 0 29 2 *", "would never run"),
    "hours turned round": cron("0 5-3 * * *", "0 3-5 * * *", "ends before it begins"),
    "a step of none": cron("*/0 * * * *", "*/5 * * * *", "behind the slash stands a number of 1 or more"),
    "a rate of none": cron("rate(0 minutes)", "rate(5 minutes)", "is no rate. Write for example rate(5 minutes)"),
    "a rate in bad grammar": cron("rate(1 minutes)", "rate(1 minute)", "is no rate to AWS. Write rate(1 minute)"),
    # Volumes
    "a driver of Docker's": volume("driver: local", "driver: task", ".driver", "write task: empty with every task"),
    "an owner below root": volume("uid: -1", "uid: 0", ".uid", "from 0 to 4294967294"),
    "a group by its name": volume("gid: www", "gid: 33", ".gid", "from 0 to 4294967294"),
    "TLS as a text": volume("tls_only: 'true'", "tls_only: true", ".tls_only", "true or false, without quotes"),
    "TLS with a plugin that has none": volume(
        "driver: rexray, tls_only: true", "driver: rexray, tls_only: false", ".tls_only", "would shut out rexray"
    ),
    "TLS of a file system that exists": volume(
        "file_system_id: fs-0123456789abcdef0, tls_only: true",
        "file_system_id: fs-0123456789abcdef0",
        ".tls_only",
        "is for a file system that Berth makes",
    ),
    "a volume's key by its alias": volume(
        "kms_key_arn: alias/shop", f"kms_key_arn: '{KEY}'", ".kms_key_arn", "must be an ARN: arn:aws:kms:…:key/…"
    ),
    "a key of a file system that exists": volume(
        f"file_system_id: fs-0123456789abcdef0, kms_key_arn: '{KEY}'",
        "file_system_id: fs-0123456789abcdef0",
        ".kms_key_arn",
        "is for a file system that Berth makes",
    ),
    "a key of a folder of a task": volume(
        f"driver: task, kms_key_arn: '{KEY}'", "driver: task", ".kms_key_arn", "means nothing"
    ),
    "TLS of a folder of a task": volume("driver: task, tls_only: true", "driver: task", ".tls_only", "means nothing"),
    "a patch of a volume as a list": volume("patch: [a]", "patch: {}", ".patch", "must be a mapping"),
    # Databases
    "Compose's name of the engine": database("engine: postgresql", "engine: postgres", ".engine", "write postgres."),
    "a name with a hyphen": database("name: my-site", "name: my_site", ".name", "letters, digits and underscores"),
    "a name that RDS has": database("name: postgres", "name: site", ".name", "RDS keeps for itself", "name: site"),
    "a name that is a word of SQL": database("name: Order", "name: orders", ".name", "is Order, a word of SQL", "site"),
    "a user that is a word of SQL": database(
        "username: grant", "username: grants", ".username", "is grant, a word of SQL", "username: site"
    ),
    "a user that is a number": database("username: 1a", "username: a1", ".username", "a letter, then letters"),
    "a class of other times": database(
        "class: db.t2.micro", "class: db.t3.micro", ".class", "too old for PostgreSQL 15", "class: db.t3.micro"
    ),
    "storage below RDS's": database("storage_gb: 5", "storage_gb: 20", ".storage_gb", "of GiB from 20"),
    "growth to less than RDS's": database(
        "storage_max_gb: 21", "storage_max_gb: 22", ".storage_max_gb", "of GiB from 22"
    ),
    "no backups": database("backup_days: 0", "backup_days: 1", ".backup_days", "of days from 1 to 35"),
    "two zones as a number": database("multi_az: 2", "multi_az: true", ".multi_az", "true or false"),
    "protection as a text": database(
        "deletion_protection: 'off'", "deletion_protection: false", ".deletion_protection", "true or false"
    ),
    "an authority that RDS has not": database(
        "ca_certificate: global-bundle.pem", "ca_certificate: rds-ca-rsa2048-g1", ".ca_certificate", "rds-ca-rsa2048-g1"
    ),
    "an endpoint with a scheme": database(
        "endpoint: 'postgres://db.acme.io'", "endpoint: db.acme.io", ".endpoint", "db.example.net"
    ),
    "a database's port that is none": database(
        "endpoint: db.acme.io, port: 0", "endpoint: db.acme.io, port: 5433", ".port", "from 1 to 65535"
    ),
    "a secret's name for its ARN": database(
        "endpoint: db.acme.io, secret_arn: shop/db",
        f"endpoint: db.acme.io, secret_arn: '{ARN}'",
        ".secret_arn",
        "must be an ARN: arn:aws:secretsmanager:…",
    ),
    "a key's id for its ARN": database(
        f"endpoint: db.acme.io, secret_arn: '{ARN}', kms_key_arn: 0123abcd",
        f"endpoint: db.acme.io, secret_arn: '{ARN}', kms_key_arn: '{KEY}'",
        ".kms_key_arn",
        "arn:aws:kms:…:key/…",
    ),
    "a patch of a database as a list": database("patch: [a]", "patch: {}", ".patch", "must be a mapping"),
    # Buckets
    "a bucket's name that is none": bucket("name: Acme_Up", "name: acme-up", ".name", "acme-uploads"),
    "versions as a text": bucket("versioned: 'on'", "versioned: true", ".versioned", "true or false"),
    "objects that go at once": bucket("expire_days: 0", "expire_days: 1", ".expire_days", "of days from 1 to 36500"),
    "versions that go at once": bucket(
        "old_versions_days: 0", "old_versions_days: 1", ".old_versions_days", "of days from 1 to 36500"
    ),
    "an origin without its scheme": bucket(
        "cors_origins: [acme.io]", "cors_origins: ['https://acme.io']", ".cors_origins.0", "https://www.acme.io"
    ),
    "a patch of a bucket as a list": bucket("patch: [a]", "patch: {}", ".patch", "must be a mapping"),
    # Tables
    "a table's key that is empty": table(
        "partition_key: {name: a b}", "partition_key: {name: ab}", ".partition_key.name", "without spaces"
    ),
    "a sort key that is no name": table(
        "partition_key: id, sort_key: []", "partition_key: id, sort_key: at", ".sort_key", "the name of an attribute"
    ),
    "indexes that are a text": table(
        "partition_key: id, global_secondary_indexes: by_owner",
        "partition_key: id, global_secondary_indexes: {}",
        ".global_secondary_indexes",
        "must be a mapping",
    ),
    "an index's key that is no name": table(
        "partition_key: id, global_secondary_indexes: {by_owner: {partition_key: []}}",
        "partition_key: id, global_secondary_indexes: {by_owner: {partition_key: owner}}",
        ".global_secondary_indexes.by_owner.partition_key",
        "the name of an attribute",
    ),
    "an index's sort key that is no name": table(
        "partition_key: id, global_secondary_indexes: {by_owner: {partition_key: owner, sort_key: a b}}",
        "partition_key: id, global_secondary_indexes: {by_owner: {partition_key: owner, sort_key: ab}}",
        ".global_secondary_indexes.by_owner.sort_key",
        "the name of an attribute",
    ),
    "items that expire by two words": table(
        "partition_key: id, ttl: the end", "partition_key: id, ttl: the_end", ".ttl", "without spaces"
    ),
    "a table's name that is too short": table(
        "name: ab", "name: abc", ".name", "the name of a table that exists", "acme-items"
    ),
    "a patch of a table without a property": table(
        "partition_key: id, patch: {Table: x}",
        "partition_key: id, patch: {Table.TableClass: STANDARD}",
        ".patch.Table",
        "<Resource>.<Property>",
    ),
    # Functions
    "a function that is a text": case(
        "site_functions: {api: app}",
        f"site_functions: {{api: {{{CALLED}}}}}",
        "site_functions.api",
        "must be a mapping",
    ),
    "a function without code": function(
        "handler: app.handler, runtime: python3.13, routes: [GET /]", CALLED, "", "has no code. Name the folder"
    ),
    "a function without a handler": function(
        "code: api, runtime: python3.13, routes: [GET /]", CALLED, "", "has no handler. Name what Lambda calls"
    ),
    "a function without a runtime": function(
        "code: api, handler: app.handler, routes: [GET /]", CALLED, "", "has no runtime.", "runtime: python3.13"
    ),
    "a function without routes": function(
        "code: api, handler: app.handler, runtime: python3.13", CALLED, "", "has no routes. Say which requests"
    ),
    "a folder that is a list": called("code: [api]", "code: api", ".code", "must be a folder beside the inventory"),
    "a handler with a space": called(
        "handler: app handler", "handler: app.handler", ".handler", "must be what Lambda calls, for example app.handler"
    ),
    "a runtime that there is not": called(
        "runtime: python3.1", "runtime: python3.13", ".runtime", "must be one of", "Did you mean python3."
    ),
    "a function's memory in bytes": called("mem_limit: 512", "mem_limit: 512m", ".mem_limit", "for example 512m"),
    "a function's memory that is too little": called(
        "mem_limit: 64m", "mem_limit: 128m", ".mem_limit", "is 64m; Lambda takes 128m or more."
    ),
    "a function's time that is too long": called(
        "timeout: 5m", "timeout: 30s", ".timeout", "is 5m; Lambda takes 1s to 30s."
    ),
    "a function's time that is no whole second": called(
        "timeout: 1500ms", "timeout: 2s", ".timeout", "Lambda counts whole seconds"
    ),
    "a variable that Lambda sets": called(
        "environment: {AWS_REGION: x}", "environment: {REGION: x}", ".environment.AWS_REGION", "but Lambda sets it"
    ),
    "a function's secret in clear": called(
        "environment: {API_KEY: abc}", "secrets: {API_KEY: secret.key.value}", ".environment.API_KEY", "Put it under"
    ),
    "a function's secret that is told": called(
        "environment: {KEY_VALUE: {from: secret.key.value}}",
        "secrets: {KEY_VALUE: secret.key.value}",
        ".environment.KEY_VALUE.from",
        "Write it under secrets",
    ),
    "a function's secret that is none": called(
        "secrets: {TABLE: table.items.name}",
        "environment: {TABLE: {from: table.items.name}}",
        ".secrets.TABLE",
        "which is no secret",
    ),
    "a function's secrets as a list": called(
        "secrets: [KEY]", "secrets: {KEY_VALUE: secret.key.value}", ".secrets", "must be a mapping of variables"
    ),
    "a function's variable that is set twice": called(
        "environment: {USER: x}, secrets: {USER: secret.key.username}",
        "secrets: {USER: secret.key.username}",
        ".environment.USER",
        "and so does secrets",
    ),
    "a function's variables that are too long": called(
        f"environment: {{TEXT: {'x' * 4093}}}",
        f"environment: {{TEXT: {'x' * 4092}}}",
        ".environment",
        "has 4097 bytes, and Lambda takes 4096",
    ),
    "a function that is told of a database": called(
        "environment: {DB_HOST: {from: database.main.host}}",
        "environment: {TABLE: {from: table.items.name}}",
        ".environment.DB_HOST",
        "leads to a database",
        "What needs one is a service",
    ),
    "a flag in a function's environment": called(
        "environment: {LANGUAGE: no}", "environment: {LANGUAGE: 'no', DEBUG: true}", ".environment.LANGUAGE", "as false"
    ),
    "a function that is told of itself": called(
        "environment: {URL: {from: function.api.url}}",
        "environment: {URL: x}",
        ".environment.URL",
        "leads to a function",
    ),
    "rights of a function to a service": called(
        "uses: {service.web: read}", "uses: {table.items: read}", ".uses.service.web", "leads to a service"
    ),
    "rights of a function that there are not": called(
        "uses: {table.items: see}", "uses: {table.items: read}", ".uses.table.items", "is no right to a table"
    ),
    "rights of a function that are a number": called(
        "uses: {table.items: 5}", "uses: {table.items: [read]}", ".uses.table.items", "must be a list of rights"
    ),
    "a route without a method": called(
        "routes: [/items]", "routes: [GET /items]", ".routes.0", "is '/items', must be a method", "GET /items/{id}"
    ),
    "a route in small letters": called("routes: [get /items]", "routes: [GET /items]", ".routes.0", "capital letters"),
    "a route whose rest is not at its end": called(
        "routes: ['GET /{proxy+}/items']", "routes: ['GET /items/{proxy+}']", ".routes.0", "ANY /{proxy+}"
    ),
    "a route that is there twice": called(
        "routes: [$default, $default]", "routes: [$default, GET /]", ".routes", "has $default twice"
    ),
    "no route at all": called("routes: []", "routes: $default", ".routes", "must be a list"),
    "a patch of a function as a list": called("patch: [a]", "patch: {}", ".patch", "must be a mapping"),
    # Static files
    "files that are a text": case(
        "site_static: {front: dist}",
        "site_static: {front: {folder: dist}}",
        "site_static.front",
        "must be a mapping",
    ),
    "files without a folder": static(
        "keep_days: 9", "folder: dist", "", "has no folder. Name the folder", "folder: front/dist", "image: shop/front"
    ),
    "a folder of files that is a list": static(
        "folder: [dist]", "folder: dist", ".folder", "must be a folder beside the inventory", "front/dist"
    ),
    "files of a folder and of an image": static(
        "folder: dist, image: shop/none, path: /srv",
        "folder: dist",
        ".image",
        "stands beside folder",
        "Keep folder, or",
    ),
    "a folder and a path in no image": static(
        "folder: dist, path: /srv", "image: shop/web, path: /srv", ".path", "stands beside folder"
    ),
    "files somewhere in an image": static(
        "image: shop/web", "image: shop/web, path: /srv", "", "has an image and no path.", "path: /usr/share/nginx/html"
    ),
    "a path in no image": static(
        "path: /srv/dist", "image: shop/web, path: /srv/dist", "", "has a path and no image", "image: shop/front"
    ),
    "a path in an image that begins nowhere": static(
        "image: shop/web, path: srv/dist", "image: shop/web, path: /srv/dist", ".path", "from the root", "/srv/dist"
    ),
    "a path in an image that leads up": static(
        "image: shop/web, path: /srv/../etc", "image: shop/web, path: /srv/..etc", ".path", "has .. in it", "/usr/share"
    ),
    "all of an image": static(
        "image: shop/web, path: /./", "image: shop/web, path: /srv/", ".path", "would be the whole image"
    ),
    "files of something that is no image": static(
        "image: Shop/Web, path: /srv", "image: shop/web, path: /srv", ".image", "no name of an image"
    ),
    "files of an image that nothing runs": static(
        "image: shop/wbe, path: /srv",
        "image: shop/web, path: /srv",
        ".image",
        "is no image that a container of the site runs. Did you mean shop/web?",
        "docker cp",
    ),
    "files of another tag than what runs": static(
        "image: 'shop/web:2', path: /srv", "image: shop/web, path: /srv", ".image", "Write it as the container does"
    ),
    "one header for all files": static(
        "folder: dist, cache_control: no-store",
        "folder: dist, cache_control: {'*': no-store}",
        ".cache_control",
        "must be a mapping",
        "*.pdf",
    ),
    "a header that is a number": static(
        "folder: dist, cache_control: {'*.pdf': [3600]}",
        "folder: dist, cache_control: {'*.pdf': max-age=3600}",
        ".cache_control.*.pdf",
        "a Cache-Control header",
        "public, max-age=3600",
    ),
    "a header of two lines": static(
        'folder: dist, cache_control: {"*.pdf": "public\\nX: y"}',
        'folder: dist, cache_control: {"*.pdf": "public"}',
        ".cache_control.*.pdf",
        "a Cache-Control header",
    ),
    "files that go at once": static(
        "folder: dist, keep_days: 0", "folder: dist, keep_days: 1", ".keep_days", "of days from 1 to 36500"
    ),
    "files for everybody": static(
        "folder: dist, public: true", "folder: dist", ".public", "uses: {static.<entry>: [read]}"
    ),
    "a patch of static files as a list": static(
        "folder: dist, patch: [a]", "folder: dist, patch: {}", ".patch", "must be a mapping"
    ),
    "rights to write static files": case(
        "site_static: {front: {folder: dist}}\nsite_services: {web: {uses: {static.front: [read, write]}}}",
        "site_static: {front: {folder: dist}}\nsite_services: {web: {uses: {static.front: [read]}}}",
        "site_services.web.uses.static.front",
        "has write, which is no right to an entry of static files",
    ),
    "static files by the name of a bucket's attribute": case(
        "site_static: {front: {folder: dist}}\n"
        "site_services: {web: {containers: {web: {environment: {FILES: {from: static.front.name}}}}}}",
        "site_static: {front: {folder: dist}}\n"
        "site_services: {web: {containers: {web: {environment: {FILES: {from: static.front.bucket}}}}}}",
        "site_services.web.containers.web.environment.FILES.from",
        "asks static.front for name, which it has not.",
        "It has bucket, arn.",
    ),
    # Secrets
    "a key with a space": secret("generate: [a b]", "generate: [a_b]", ".generate.0", "secret_key"),
    "a secret that is guessed": secret(
        "generate: [a], length: 4", "generate: [a], length: 8", ".length", "of characters from 8 to 4096"
    ),
    "plain values as a text": secret(
        "generate: [a], values: admin", "generate: [a], values: [username=admin]", ".values", "username: admin"
    ),
    "an octal number beside a secret": secret(
        "generate: [a], values: {code: 0755}", "generate: [a], values: {code: '0755'}", ".values.code", 'Write "0755"'
    ),
    "a secret by its name": secret(
        "secret_arn: shop/key", f"secret_arn: '{ARN}'", ".secret_arn", "aws secretsmanager describe-secret"
    ),
    "a key of a secret's that is none": secret(
        f"secret_arn: '{ARN}', keys: ['a:b']", f"secret_arn: '{ARN}', keys: [a]", ".keys.0", "api_key"
    ),
    "a parameter without its slash": secret(
        "parameter: shop/key", "parameter: /shop/key", ".parameter", "for example /shop/api_key"
    ),
    "a secret's key by its id": secret(
        f"secret_arn: '{ARN}', kms_key_arn: 0123abcd",
        f"secret_arn: '{ARN}', kms_key_arn: '{KEY}'",
        ".kms_key_arn",
        "must be an ARN: arn:aws:kms:…:key/…",
    ),
    "a length of a secret that exists": secret(
        f"secret_arn: '{ARN}', length: 20", f"secret_arn: '{ARN}'", ".length", "belongs to a secret with generate"
    ),
    # A right to decrypt with an alias is a right to nothing.
    "an alias of a key for a new secret": secret(
        f"generate: [a], kms_key_arn: '{KEY.replace('key/', 'alias/')}'",
        f"generate: [a], kms_key_arn: '{KEY}'",
        ".kms_key_arn",
        "must be an ARN: arn:aws:kms:…:key/…",
    ),
    "a patch of a secret as a list": secret(
        "generate: [a], patch: [a]", "generate: [a], patch: {}", ".patch", "must be a mapping"
    ),
    # Hosts and names
    "no hosts": case("site_hosts: {min: 0}", "site_hosts: {min: 1}", "site_hosts.min", "of hosts from 1 to 1000"),
    "hosts that scale by a number": case(
        "site_hosts: {scale: 80}", "site_hosts: {scale: true}", "site_hosts.scale", "must be true or false"
    ),
    "hosts up to none": case("site_hosts: {max: 0}", "site_hosts: {max: 2}", "site_hosts.max", "of hosts from 1"),
    "a name of a site with a scheme": case(
        "domain_aliases: [{name: 'https://acme.de', hosted_zone_id: Z1}]",
        "domain_aliases: [{name: acme.de, hosted_zone_id: Z1}]",
        "domain_aliases.0.name",
        "no scheme",
    ),
    "a stack's name that is too long": case(
        f"{{site_name: {'s' * 60}, environment_name: {'e' * 20}, site_buckets: {{{'a' * 40}: {{}}}}}}",
        f"{{site_name: {'s' * 60}, environment_name: {'e' * 20}, site_buckets: {{{'a' * 39}: {{}}}}}}",
        f"site_buckets.{'a' * 40}",
        "129 characters long, and AWS takes 128",
        "Shorten it to 39",
    ),
}
