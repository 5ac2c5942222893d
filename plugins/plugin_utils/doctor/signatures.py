"""The table of what goes wrong: the one place that knows AWS's, ECS's, Docker's and the agents' words for it.

What is more specific comes first: a line is told by the first that finds itself in it.
docs/doctor.md shows the table; tests/unit/plugins/plugin_utils/doctor/texts.yml has for each the text as it is written,
and one that is not to match.
"""

from __future__ import annotations

from plugins.plugin_utils.doctor.signature import (
    BALANCER,
    CONSOLE,
    DATA,
    DEPLOYMENT,
    EVENT,
    HOST,
    HOSTS,
    KINDS,
    LOG,
    LOGIN,
    MESSAGE,
    REASONS,
    RIGHT,
    SCHEDULE,
    SESSION,
    SSH,
    STACK,
    STARTS,
    TARGET,
    TASK,
    TRIED,
    Signature,
)

LOGS = "logs.yml -e {noun}={entry}"
SITE = "site.yml"
CONVERGE = "hosts.yml --limit localhost,{host}"
REPLACE = (
    "aws autoscaling terminate-instance-in-auto-scaling-group --no-should-decrement-desired-capacity "
    "--instance-id {host}"
)
ENDS = (TASK, LOG)
CHECKS = (EVENT, TARGET, TASK)

RIGHTS = (
    Signature(
        "denied-explicitly", KINDS,
        r"(?:User: (?P<who>\S+) )?is not authorized to perform(?:: (?P<action>[\w-]+:\w+))?.*explicit deny",
        "A policy forbids {who} the right {action}, whatever another one allows; perhaps it is an organisation's.",
        "aws sts get-caller-identity",
        "Whoever looks after the account has to allow it.",
    ),
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html has the words.
    Signature(
        "denied", KINDS,
        r"(?:User: (?P<who>\S+) )?is not authorized to perform(?:: (?P<action>[\w-]+:\w+))?(?!.*explicit deny)",
        "IAM refuses {who} the right {action}.",
        SITE,
        "{who} lacks the right {action}. If that is who types the verbs, write the policies anew (python "
        "scripts/operator_policy.py --site <site_name> --region <aws_region> --account <account>), attach them; "
        "if it is a role of the site's, ansible-playbook site.yml brings it up to date.",
        told=True,
    ),
    Signature(
        "right-missing", (RIGHT,),
        r"the right (?P<action>[\w-]+:\w+) is missing",
        "Whoever types this lacks the right {action}, so that something could not be looked at.",
        "python scripts/operator_policy.py --site <site_name> --region <aws_region> --account <account>",
        "Attach the policies that it writes.",
    ),
)  # fmt: skip

PLACES = (
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
    Signature(
        "port-taken", (EVENT,), r"already using a port required by your task",
        "The container asks for a port of the host that a task there has already, so a host takes one such task.",
        SITE, 'Leave the host\'s port out: ports: ["8000"]; the load balancer finds a free one.',
    ),
    Signature(
        "no-memory", (EVENT,), r"insufficient memory available",
        "No host has as much memory left as the task asks for.",
        SITE, "Lower mem_limit, or take larger hosts or more of them (host_instance_type, site_hosts.max).",
    ),
    Signature(
        "no-cpu", (EVENT,), r"insufficient CPU units available",
        "No host has as many CPU units left as the task asks for.",
        SITE, "Lower cpu_shares, or take larger hosts or more of them.",
    ),
    Signature(
        "attribute-missing", (EVENT,), r"is missing an attribute required by your task",
        "The agent of the host does not offer what the task needs: a volume plugin, a log driver, an architecture. "
        "It says what it has when it registers only.",
        "hosts.yml",
    ),
    Signature(
        "no-hosts", (EVENT, TRIED), r"No Container Instances were found in your (?:cluster|capacity provider)",
        "No host has joined the cluster.",
        SITE, "If there are instances, see why they do not join: doctor.yml -e host=<instance id>.",
    ),
    Signature(
        "no-host-takes", (TRIED,), r"no host takes tasks now \((?P<hosts>[^)]+)\)",
        "No host takes a new task ({hosts}): each is drained, or its agent is away.",
        "status.yml", "What stands above of the hosts is the cause; a drained one takes tasks again by hosts.yml.",
    ),
    Signature(
        "agent-away", (EVENT, HOST), r'encountered error ["\']AGENT["\']|its ECS agent is not connected',
        "The ECS agent of the host has no connection: it hangs, is down, or cannot reach ECS.",
        "on-host systemctl restart ecs",
    ),
    Signature(
        "agent-hangs", HOSTS, r"^agent: silent at its own port",
        "The ECS agent of the host hangs: it runs, and answers nobody, not even on the host itself.",
        "on-host systemctl restart ecs", "The containers run on meanwhile.",
    ),
    Signature(
        "role-of-ecs", (STACK, EVENT),
        r"unable to assume the service linked role",
        "ECS cannot act in this account: its role AWSServiceRoleForECS is not there, or has just been made.",
        SITE,
    ),
    Signature(
        "starts-fail", (EVENT,), r"is unable to consistently start tasks successfully",
        "Each task of the service ends soon after its start, so that ECS starts new ones more and more slowly.",
        LOGS, vague=True,
    ),
    Signature(
        "breaker", (DEPLOYMENT, STACK, EVENT), r"deployment circuit breaker|deployment failed: tasks failed to start",
        "Too many tasks of the new revision ended or did not become healthy, so that ECS gave the deployment up.",
        LOGS, vague=True,
    ),
)  # fmt: skip

IMAGES = (
    Signature(
        "image-rate", (*STARTS, HOST, CONSOLE), r"toomanyrequests|reached your (?:unauthenticated )?pull rate limit",
        "Docker Hub gives this address no more images for some hours.",
        "publish.yml", "Name the image as ECR has it, or pull it into the site's own registry.",
    ),
    Signature(
        "image-platform", STARTS, r"no matching manifest for (?P<platform>linux/\S+)",
        "The image was built for another processor than the hosts have ({platform}).",
        "publish.yml", "Build it with docker build --platform {platform}.",
    ),
    Signature(
        "image-gone", STARTS,
        r"CannotPull\w*Error.*(?:manifest unknown|not found|manifest for \S+ not found)",
        "The registry has no such image: it was never pushed, or its tag has expired.",
        "publish.yml",
    ),
    Signature(
        "image-login", STARTS,
        r"pull access denied|no basic auth credentials|repository does not exist or may require|"
        r"requested access to the resource is denied|unauthorized: authentication required",
        "The registry gives the host no such image without a login, or there is no such repository.",
        "publish.yml", "Check the image's name; a private registry elsewhere is not one the hosts can log in to.",
    ),
    Signature(
        "registry-away", (*STARTS, HOST, CONSOLE),
        r"CannotPull\w*Error.*(?:i/o timeout|Client\.Timeout|request canceled|no such host|connection refused)",
        "The host cannot reach the registry: it has no way out (no public address, no NAT gateway), or no names.",
        SITE, "Hosts in private subnets need network_nat: gateway.",
    ),
)  # fmt: skip

SETTINGS = (
    Signature(
        "secret-key", STARTS, r"did not contain json key (?P<key>\S+)",
        "The secret has no key {key}, which the container asks for.",
        SITE, "Write {key} into the secret, or ask for another key under secrets.",
    ),
    Signature(
        "secret-gone", STARTS,
        r"unable to (?:pull secrets|retrieve secret).*(?:ResourceNotFoundException|can't find the specified secret)|"
        r"can't retrieve the secret with ARN|fetching secret data from SSM Parameter Store.*invalid parameters",
        "The secret that the container asks for is not there, or waits to be deleted.",
        SITE,
    ),
    Signature(
        "log-group-gone", (*STARTS, HOST), r"The specified log group does not exist",
        "The log group of the container is not there, so that Docker does not start it.",
        SITE,
    ),
)  # fmt: skip

VOLUMES = (
    Signature(
        "mount-target", (*STARTS, HOST), r"Failed to resolve \"?(?P<name>fs-[\w.-]+)",
        "The file system has no mount target in the host's zone, or the VPC gives no names ({name}).",
        SITE, "A given VPC (network_vpc_id) needs enableDnsSupport and enableDnsHostnames.",
    ),
    Signature(
        "rexray-metadata", (*STARTS, HOST, CONSOLE), r"dial unix \S*rexray\.sock: connect: no such file or directory",
        "The plugin rexray/efs does not run: it speaks IMDSv1 only, and the host's metadata service wants tokens.",
        CONVERGE, "Set host_imds_tokens: optional, or driver: efs in site_volumes.",
    ),
    Signature(
        "plugin-gone", (*STARTS, HOST), r'plugin "?[\w/.:-]+"? not found|legacy plugin: plugin not found',
        "Docker on the host does not know the volume's plugin: it is not installed, or Docker has to look again.",
        CONVERGE,
    ),
    Signature(
        "plugin-off", (*STARTS, *HOSTS), r'plugin "?(?P<plugin>[^\s"]+)"? (?:enabled=false|found but disabled)',
        "The Docker plugin {plugin} is installed and switched off, as after a restart that took too long.",
        CONVERGE,
    ),
    Signature(
        "mount-refused", (*STARTS, HOST), r"mount\.nfs4?: access denied by server",
        "EFS refuses the mount: the file system's policy, or the task role's rights to it, were changed.",
        SITE,
    ),
    Signature(
        "mount-late", (*STARTS, HOST),
        r"mount\.nfs4?: (?:Connection timed out|mount system call failed)|"
        r"(?:volume|mount).*(?:context deadline exceeded|timed out)",
        "Nothing answers at the file system's port 2049: a security group stands between, or no mount target is there.",
        SITE,
    ),
    Signature(
        "nfs-silent", (HOST, CONSOLE),
        r"nfs: server (?P<server>\S+) not responding|^volume (?P<volume>\S+) at \S+ does not answer",
        "A file system has stopped answering the host; programs that use it hang until it does again.",
        "status.yml", "Where only one host says so, look at that host; what has hung goes on by itself afterwards.",
    ),
    Signature(
        "file-handle", (LOG, HOST, TASK), r"stale (?:NFS )?file handle",
        "What the container has mounted is there no longer: the access point or folder was replaced.",
        "restart.yml -e service={entry}",
    ),
)  # fmt: skip

DISKS = (
    Signature(
        "disk-full", (*STARTS, LOG, HOST, CONSOLE), r"no space left on device|^\s*(?:9[5-9]|100)% \S",
        "The host's disk is full: mostly of old images, or of a log that a program writes into its container.",
        "on-host docker system df", "Raise host_volume_gb for new hosts.",
    ),
    Signature(
        "read-only", (LOG,), r"read-only file system",
        "The container writes into a place that is mounted read-only.",
        SITE, "Take :ro off the volume, or read_only off the container, or give it a tmpfs.",
    ),
)  # fmt: skip

PROGRAMS = (
    Signature(
        "processor", (*ENDS, TRIED), r"exec format error",
        "The image was built for another processor than the host has.",
        "publish.yml", "Build it with docker build --platform linux/amd64, or linux/arm64 where the hosts are so.",
    ),
    # https://docs.docker.com/engine/containers/run/#exit-status
    Signature(
        "program-gone", ENDS, r"executable file not found|stat \S+: no such file or directory|exit code 127\b",
        "The image has no such program as the container's command or entrypoint names.",
        SITE, "Check command and entrypoint, and that the image has the program in its PATH.",
    ),
    Signature(
        "program-forbidden", ENDS, r"exec: \"?\S+\"?: permission denied|exit code 126\b",
        "The program of the container may not be executed.",
        "publish.yml", "Make it executable in the image (RUN chmod +x) or name its interpreter in command.",
    ),
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
    Signature(
        "memory", ENDS, r"OutOfMemory(?:Error)?: Container killed",
        "The container took more than its mem_limit, and was killed.",
        SITE, "Raise mem_limit, or let the program have fewer workers.",
    ),
    Signature(
        "dependency", (TASK,), r"dependency graph: |dependent container .*(?:time|did not)",
        "A container waits for another one of its task, which did not become what depends_on asks for.",
        LOGS,
    ),
    Signature(
        "own-check", (TASK,), r"Task failed container health checks|was UNHEALTHY",
        "The container's own healthcheck failed.",
        LOGS, "Lengthen start_period, or look at what the healthcheck's command says in the container.",
    ),
    Signature(
        "docker-late", (*STARTS, HOST), r"DockerTimeoutError|Could not transition to \w+; timed out",
        "Docker on the host did not answer in time: its disk is slow or full, or its log cannot be opened.",
        "on-host journalctl -u docker -n 50 --no-pager",
    ),
    Signature(
        "host-gone", (TASK,), r"Host EC2 \(instance (?P<host>i-[0-9a-f]+)\) (?:terminated|stopped)",
        "The host of the task was taken away; ECS starts another task where there is room.",
        "status.yml",
    ),
)  # fmt: skip

DATABASES = (
    # https://www.postgresql.org/docs/current/client-authentication-problems.html
    Signature(
        "database-password", DATA,
        r"password authentication failed for user|role \"[^\"]+\" is not permitted to log in",
        "The database refuses the login: the container still has one that was changed.",
        "restart.yml -e service={entry}",
    ),
    Signature(
        "database-tls", DATA, r"no pg_hba\.conf entry for host .*(?:no encryption|SSL off)",
        "The program asks the database without TLS, which RDS refuses from PostgreSQL 15 on.",
        SITE, "Set sslmode=require (PGSSLMODE: require in environment does it for libpq).",
    ),
    Signature(
        "database-name", DATA, r"could not translate host name|FATAL:\s+database \"[^\"]+\" does not exist",
        "The container asks for a database or a host that there is not.",
        SITE, "Take both by reference: DB_HOST: {{from: database.<name>.host}}.",
    ),
    Signature(
        "database-busy", DATA,
        r"remaining connection slots are reserved|sorry, too many clients already|too many connections for role",
        "The database has as many connections as its size allows.",
        SITE, "Let the program keep fewer, or take a larger class in site_databases.",
    ),
    Signature(
        "database-away", DATA,
        r"could not connect to server: (?:Connection|No route)|"
        r"port \d+ failed: (?:Connection|timeout|No route|Network is unreachable)",
        "The database does not answer: it is starting or down, or a security group stands between.",
        "verify.yml",
    ),
    # https://www.postgresql.org/docs/current/errcodes-appendix.html: class 57
    Signature(
        "database-restarts", DATA,
        r"the database system is (?:starting up|shutting down|in recovery mode|not yet accepting connections)|"
        r"terminating connection due to administrator command|server closed the connection unexpectedly",
        "The database is being restarted, or has just been: by hand, by its maintenance or as it failed over.",
        "aws rds describe-events --source-type db-instance --duration 60",
        "Wait a minute; a program that does not connect anew by itself: restart.yml -e service={entry}.",
    ),
    Signature(
        "database-other", (LOGIN,), r"something else than PostgreSQL answers there",
        "At the address that the container was given there is no PostgreSQL.",
        SITE, "Take host and port by reference: DB_HOST: {{from: database.<name>.host}}.",
    ),
    Signature(
        "migration-missing", (LOG,), r"relation \"[^\"]+\" does not exist|no such table: \S+",
        "The database lacks a table that the program reads: the migrations of this release did not run.",
        "migrate.yml",
    ),
)  # fmt: skip

ANSWERS = (
    Signature(
        "host-header", (LOG,), r"Invalid HTTP_HOST header|DisallowedHost",
        "The program refuses the Host header of the load balancer's health check, which is the host's address.",
        SITE, "Answer the health path whatever the Host header: docs/your-site.md.",
    ),
    Signature(
        "check-host-header", CHECKS, r"Health checks failed with these codes: \[400\]",
        "The health path answers 400: mostly the program refuses the Host header, which is the host's address.",
        LOGS, "Answer the health path whatever the Host header: docs/your-site.md.",
    ),
    Signature(
        "check-redirect", CHECKS, r"Health checks failed with these codes: \[30[12378]\]",
        "The health path answers with a redirect, mostly to HTTPS; the load balancer asks by HTTP and follows none.",
        SITE, "Let the program believe X-Forwarded-Proto, or leave the health path out of the redirect.",
    ),
    Signature(
        "check-login", CHECKS, r"Health checks failed with these codes: \[40[13]\]",
        "The health path wants a login.",
        SITE, "Name a path that anybody may ask for: health in the service's routes.",
    ),
    Signature(
        "check-path", CHECKS, r"Health checks failed with these codes: \[404\]",
        "The container does not know the health path.",
        SITE, "Name one that it answers with 200: health in the service's routes.",
    ),
    Signature(
        "check-error", CHECKS, r"Health checks failed with these codes: \[5\d\d\]",
        "The program answers its health path with an error of its own.",
        LOGS,
    ),
    Signature(
        "check-silent", CHECKS, r"Request timed out|Connection to target timed out|Target\.Timeout",
        "Nothing answers the load balancer in time: the program listens elsewhere or on 127.0.0.1 only, or is busy.",
        LOGS, "Let it listen on 0.0.0.0 and on the port under ports.",
    ),
    Signature(
        "check-zone", (TARGET,), r"Availability Zone that is not enabled for the load balancer",
        "The host stands in a zone that the load balancer does not serve.",
        SITE,
    ),
    Signature(
        "check-failed", CHECKS, r"Task failed ELB health checks|is unhealthy in \(?target-group|Health checks failed",
        "The load balancer's health check was not answered as it should be.",
        LOGS, "Lengthen the grace period (start_period) where the program only needs longer to start.", vague=True,
    ),
    Signature(
        "errors-of-program", (BALANCER,), r"HTTPCode_Target_5XX_Count: [1-9]",
        "The program answers visitors with errors of its own (500 to 599).",
        "logs.yml -e grep=Error",
    ),
    Signature(
        "errors-of-balancer", (BALANCER,), r"HTTPCode_ELB_5XX_Count: [1-9]",
        "The load balancer has nobody who answers, or an answer was cut off (502 to 504).",
        "status.yml", vague=True,
    ),
    Signature(
        "neighbour", (LOG,),
        r"host not found in upstream|Temporary failure in name resolution|Name or service not known",
        "The container asks for another one by a name that it has not: links, or the service's expose, is missing.",
        SITE,
    ),
    Signature(
        "neighbour-silent", (LOG,), r"\(111: Connection refused\) while connecting to upstream",
        "The proxy's neighbour does not listen: it is starting, has ended, or listens on another port.",
        LOGS,
    ),
    Signature(
        "too-large", (LOG,), r"client intended to send too large body",
        "The proxy refuses uploads of this size.",
        SITE, "Raise its client_max_body_size.",
    ),
    Signature(
        "port-inside", (LOG,), r"address already in use",
        "Two programs in the container want the same port.",
        SITE,
    ),
    Signature(
        "no-credentials", (LOG,), r"Unable to locate credentials|NoCredentialsError|CredentialsProviderError",
        "The program finds no credentials of AWS: its container uses nothing, so it has no rights of its own.",
        SITE, "Write under uses what the service may do.",
    ),
    Signature(
        "owner", (LOG,), r"Permission denied: '?/|EACCES: permission denied",
        "The program may not write where it writes: the folder belongs to another user than the container's.",
        SITE, "Give the volume the container's user (uid, gid in site_volumes).",
    ),
)  # fmt: skip

LAUNCHES = (
    # https://github.com/ine-labs/AWSGoat/issues/71 has the words.
    Signature(
        "launch-configuration", REASONS, r"Launch Configuration creation operation is not available",
        "Accounts that were made since October 2024 may not make launch configurations.",
        SITE, "Set host_launch_source: launch_template; the hosts are the same.", told=True,
    ),
    Signature(
        "record-there", (STACK,), r"Tried to create resource record set .* but it already exists",
        "The name has a record already, which CloudFormation does not take over.",
        "dns_switch.yml",
        "The domain is in use. With the right route53:ListResourceRecordSets a run sees that beforehand and leaves it; "
        "dns_switch.yml takes it over once the site works; or leave hosted_zone_id empty.", told=True,
    ),
    # https://repost.aws/knowledge-center/ec2-instance-type-not-supported-az-error has EC2's words.
    Signature(
        "zone-without-type", REASONS,
        r"UnsupportedAvailabilityZone|is not supported in ((the|your) )?(requested )?Availability Zone",
        "The zone does not have that type of instance.",
        SITE,
        "Name two other zones of the region in network_availability_zones; with network_vpc_id, subnets in others.",
        told=True,
    ),
    Signature(
        "disk-key", (*REASONS, HOST), r"Client\.InternalError: Client error on launch",
        "The host's disk could not be opened with the key that encrypts it.",
        "aws ec2 get-ebs-default-kms-key-id",
        "Mostly Auto Scaling may not use the key that encrypts the volumes: the account's default for EBS "
        "(aws ec2 get-ebs-default-kms-key-id). Give its role AWSServiceRoleForAutoScaling a grant for it.", told=True,
    ),
    Signature(
        "metadata-tokens", REASONS, r"HttpTokens|IMDSv2",
        "The account wants tokens of the metadata service of each instance.",
        SITE, "Set host_imds_tokens: required (and driver: efs in site_volumes, as rexray speaks IMDSv1 only).",
        told=True,
    ),
    Signature(
        "no-boundary", (STACK,), r"Scope ARN: \S+ does not exist or is not attachable",
        "The account has no policy of the name that is to bound the roles.",
        SITE, "Set site_permissions_boundary to the ARN of a policy that the account has, or leave it empty.",
        told=True,
    ),
    Signature(
        "key-pair", REASONS, r"key pair .* does not exist|InvalidKeyPair",
        "The region has no key pair of that name.",
        SITE, "Set host_key_name to a key pair of this region, or leave it empty.", told=True,
    ),
    Signature(
        "no-capacity", (*REASONS, HOST), r"do not have sufficient \S+ capacity|InsufficientInstanceCapacity",
        "AWS has no instance of that type left in the zone for now.",
        SITE, "Take another host_instance_type, or wait: Auto Scaling tries again.",
    ),
    Signature(
        "vcpu-quota", REASONS, r"VcpuLimitExceeded|more vCPU capacity than your current vCPU limit",
        "The account may not run as many processors in this region.",
        "aws service-quotas get-service-quota --service-code ec2 --quota-code L-1216C47A",
        "Ask AWS for more.",
    ),
    Signature(
        "image-of-hosts", REASONS, r"The image id '\[?ami-\w+\]?' does not exist|InvalidAMIID|AMI ID .* does not exist",
        "The hosts' AMI is not there any more, or of another region.",
        SITE, "Set host_ami_id to one that is, or leave it out.",
    ),
    Signature(
        "instance-profile", REASONS, r"Invalid IAM Instance Profile",
        "The hosts' instance profile is not there: somebody removed it, or it was made a moment ago.",
        SITE,
    ),
)  # fmt: skip

LAYERS = (
    Signature(
        "rollback-failed", (STACK,), r"\b(?:UPDATE_)?ROLLBACK_FAILED\b",
        "The stack could not go back to what it had, so CloudFormation takes no other change of it.",
        SITE, "It goes on with the rollback first; the event below it says what kept it.",
    ),
    Signature(
        "rule-taken", (STACK,), r"Priority '(?P<number>\d+)' is currently in use",
        "The load balancer has a rule with the priority {number} already.",
        SITE, "Give the route another priority.",
    ),
    Signature(
        "bucket-full", (STACK,), r"The bucket you tried to delete is not empty",
        "CloudFormation does not delete a bucket that holds something.",
        "teardown.yml",
    ),
    Signature(
        "cluster-in-use", (STACK,),
        r"Cluster cannot be deleted while|capacity provider is in use and cannot be removed",
        "The cluster still has hosts or tasks, or its capacity provider is in use.",
        "teardown.yml",
    ),
    Signature(
        "group-without-balancer", (STACK, EVENT, TARGET),
        r"does not have an associated load balancer|Target group is not configured to receive traffic",
        "The target group of the service belongs to no listener yet.",
        SITE,
    ),
    Signature(
        "still-used", (STACK,),
        r"has a dependent object|has dependencies and cannot be deleted|mapped public address|DependencyViolation",
        "Something that is not of this stack still uses what it is to delete, mostly a network interface.",
        SITE,
    ),
    Signature(
        "database-protected", (STACK,), r"Cannot delete protected DB Instance",
        "The database is protected from being deleted.",
        "plan.yml", "site_remove names what is given up.",
    ),
    Signature(
        "quota", (STACK,),
        r"(?<!Request)LimitExceeded|maximum number of [\w ]+ has been reached|exceeded .*(?:quota|limit)",
        "The account may not have more of this.",
        "aws service-quotas list-services", "Ask AWS for more, or use what is there (network_vpc_id).",
    ),
    Signature(
        "throttled", (*REASONS, RIGHT, EVENT), r"Rate exceeded|\bThrottl|are being throttled",
        "The account's calls are used up for the moment, by others too.",
        SITE, "Wait a minute.",
    ),
    Signature(
        "dead-letters", (SCHEDULE,), r"(?P<number>\d+) runs? could not be started",
        "{number} of the job's runs never started: there was no room, or the schedule's role may not start them.",
        "run.yml -e job={entry}",
    ),
)  # fmt: skip

MESSAGES = (
    Signature(
        "alarms-unheard", (MESSAGE,), r"gets nothing|Nobody has confirmed to be told",
        "Somebody who is to be told of alarms is told nothing: not confirmed yet, or not subscribed any more.",
        "status.yml", "Open the link that AWS has sent: docs/alarms.md#who-is-not-told.",
    ),
    Signature(
        "message-lost", (MESSAGE,), r"SNS could not deliver (?P<number>\d+)",
        "SNS has sent {number} messages to somebody who does not take them: an address that is none any more, or a "
        "server that answers something else than 200.",
        "status.yml", "Name another one in alarms_subscribers, then type: ansible-playbook site.yml.",
    ),
)  # fmt: skip

HOSTS_OWN = (
    Signature(
        "session-program", (SESSION, SSH),
        r"(?P<program>\baws|session-manager-plugin)(?: is not installed here|: (?:command )?not found)|"
        r"SessionManagerPlugin is not found",
        "This machine lacks a program by which ssh comes through Session Manager.",
        "doctor.yml", "Install it: https://docs.aws.amazon.com/systems-manager/latest/userguide/"
        "session-manager-working-with-install-plugin.html.",
    ),
    Signature(
        "session-endpoint", (SESSION, *HOSTS),
        r"no way out and no endpoint|\b(?:ssm|ssmmessages|ec2messages)\.[\w.-]+(?:\S+)?.*(?:no such host|i/o timeout)",
        "The host cannot reach Session Manager: it has no way out, and its VPC no endpoint of it.",
        SITE, "Hosts in private subnets need network_nat: gateway.",
    ),
    Signature(
        "session-lost", (SESSION,), r"its agent is (?P<state>ConnectionLost|Inactive)",
        "Session Manager's agent on the host has been connected, and is not any more: the host hangs, or lost its way.",
        "aws ec2 get-console-output --latest --output text --instance-id {host}",
    ),
    Signature(
        "session-unknown", (SESSION, SSH), r"Session Manager does not know it|TargetNotConnected",
        "Session Manager's agent has never come from the host: it is off there, the host's role may not speak to "
        "Session Manager, or the host has not booted.",
        SITE,
        "Hosts from before host_access_session_manager: true need hosts.yml by ssh, or refresh_hosts.yml.", vague=True,
    ),
    Signature(
        "ssh-shut", (SSH,), r"port \d+: (?:Connection timed out|No route to host)|timed out",
        "Nothing answers at the host's port 22: it is open to host_admin_cidrs only, or the host has not booted.",
        SITE, "Add this machine's address to host_admin_cidrs, or set host_access_session_manager: true.",
    ),
    Signature(
        "ssh-refused", (SSH,), r"port \d+: Connection refused",
        "The host answers and has no ssh server: it is booting, or its boot stopped half way.",
        "aws ec2 get-console-output --latest --output text --instance-id {host}",
    ),
    Signature(
        "ssh-key", (SSH,), r"Permission denied \(publickey",
        "The host does not know the key of this machine.",
        "hosts.yml", "Your key must stand in host_access_keys, or be that of host_key_name (ssh-add -l).",
    ),
    Signature(
        "config-quoted", HOSTS, r"Expected a json hash|^ECS_CLUSTER=[\"']",
        "A value in /etc/ecs/ecs.config stands in quotes, which the agent takes for part of it.",
        CONVERGE,
    ),
    Signature(
        "other-cluster", HOSTS,
        r"saved cluster '(?P<saved>[^']*)' does not match configured cluster '(?P<wanted>[^']*)'",
        "The agent has joined the cluster {saved} before, and is now told {wanted}; it never changes.",
        REPLACE, "Auto Scaling starts another host in its place.",
    ),
    Signature(
        "cluster-gone", HOSTS, r"ClientException: Cluster not found|ClusterNotFoundException",
        "The agent asks for a cluster that there is not.",
        SITE,
    ),
    Signature(
        "host-role", HOSTS, r"NoCredentialProviders|instance profile: none|no EC2 IMDS role found",
        "The host has no role: its instance profile was taken off, or its metadata service is shut off.",
        REPLACE, "Auto Scaling starts another host in its place.",
    ),
    Signature(
        "clock-wrong", HOSTS, r"Signature (?:expired|not yet current)|RequestTimeTooSkewed",
        "The host's clock is wrong, so that AWS refuses what it signs.",
        "on-host systemctl restart chronyd",
    ),
    Signature(
        "ecs-away", HOSTS, r"\b(?:ecs|ecs-a-\d+|ecs-t-\d+)\.\S+(?: on \S+)?:? (?:no such host|.*i/o timeout)|"
        r"dial tcp \S+:443: (?:i/o timeout|connect: connection refused)",
        "The host cannot reach ECS: it has no way out (no public address, no NAT gateway), or no name service.",
        SITE, "Hosts in private subnets need network_nat: gateway.",
    ),
    Signature(
        "docker-down", HOSTS,
        r"Cannot connect to the Docker daemon|Id=docker\.service (?:.*\b)?ActiveState=(?:failed|inactive)",
        "Docker does not run on the host.",
        "on-host journalctl -u docker -n 50 --no-pager",
    ),
    Signature(
        "boot-unfinished", HOSTS, r"^status: running\b",
        "The host's first boot (cloud-init) is not over; the agent starts behind it. Half an hour after the launch, "
        "it waits for something that never comes.",
        "on-host tail -n 40 /var/log/cloud-init-output.log",
    ),
    Signature(
        "boot-failed", HOSTS, r"^status: error\b|cloud-init.*Traceback|Failed to run module scripts[-_]user|"
        r"Failed to start cloud-(?:final|init)",
        "The host's first boot (cloud-init) failed, so that it was set up half.",
        "on-host tail -n 40 /var/log/cloud-init-output.log",
        "Where it lacked something for a moment only, take another host.",
    ),
    Signature(
        "agent-failed", HOSTS,
        r"(?:Id=ecs\.service|^agent:) (?:.*\b)?ActiveState=(?:failed|inactive)",
        "The ECS agent does not run: it ended for good (exit status 5), or what comes before it failed.",
        "on-host journalctl -u ecs -n 50 --no-pager",
    ),
    Signature(
        "unit-failed", HOSTS, r"^(?:failed: )?(?P<unit>[\w@.-]+\.(?:service|mount|socket))\s+loaded\s+failed|"
        r"^failed: (?P<other>[\w@.-]+\.\w+)",
        "A unit of the host has failed, and others may wait for it.",
        "on-host systemctl --failed --no-pager", vague=True,
    ),
    Signature(
        # A container that took more than its own limit: "Memory cgroup out of memory", and no matter of the host.
        "memory-of-host", HOSTS, r"(?<!cgroup )Out of memory: Killed process \d+ \((?P<program>[^)]+)\)",
        "The host had no memory left, and the kernel ended {program}.",
        SITE, "Give each container a mem_limit, or take larger hosts.",
    ),
    Signature(
        "kernel", HOSTS, r"Kernel panic - not syncing",
        "The host's kernel has stopped.",
        REPLACE, "Auto Scaling starts another host in its place.",
    ),
    Signature(
        "no-provider", (HOST,), r"belongs to no capacity provider",
        "The host joined the cluster before that had its capacity provider, which therefore does not count it.",
        REPLACE, "Auto Scaling starts another host in its place.",
    ),
    Signature(
        "not-running", (HOST,), r"instance state: (?P<state>terminated|shutting-down|stopped|stopping)",
        "The instance does not run ({state}).",
        SITE,
    ),
)  # fmt: skip

ENDINGS = (
    Signature(
        "killed", (TASK,), r"^(?!.*exit code (?!0\b|137\b|143\b)\d).*exit code 137\b",
        "The container was killed: its host had no memory left, or it did not end within stop_grace_period.",
        LOGS, "Let the program end at SIGTERM (exec in a shell script), or lengthen stop_grace_period.", vague=True,
    ),
    Signature(
        "crash", (TASK,), r"exit code 13[49]\b",
        "The program crashed (a segmentation fault, or an abort of its own): mostly in a library of its image.",
        LOGS,
    ),
    Signature(
        "program-failed", (TASK,), r"exit code (?!137\b|143\b)(?P<code>[1-9]\d*)\b",
        "The program ended itself with exit code {code}; its last lines say why.",
        LOGS, vague=True,
    ),
    Signature(
        "program-ended", (TASK,), r"exit code 0\b",
        "The program ended without a failure, and a service must not end: it went into the background, or was through.",
        LOGS, "Let it stay in the foreground; what is to end is a job.",
    ),
)  # fmt: skip
"""What says least comes last."""

SIGNATURES: tuple[Signature, ...] = (
    *RIGHTS, *PLACES, *IMAGES, *SETTINGS, *VOLUMES, *DISKS, *PROGRAMS, *DATABASES, *ANSWERS, *LAUNCHES, *LAYERS,
    *MESSAGES, *HOSTS_OWN, *ENDINGS,
)  # fmt: skip
