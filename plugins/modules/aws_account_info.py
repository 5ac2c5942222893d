#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: aws_account_info
short_description: Everything about the account that has to be known before anything is made in it
description:
  - One task instead of two dozen, its questions asked side by side, and it changes nothing. Each question is asked only
    where its option is given.
  - What follows a missing right or an API that is not there is in RV(unasked); nothing is said about it elsewhere.
extends_documentation_fragment: [region]
options:
  questions_of:
    description:
      - Roles whose C(account.yml) says what to ask, as C(<role>_account_questions), a mapping of the options below.
        Lists and mappings of several roles are put together; what the task says itself holds.
    type: list
    elements: str
    default: []
  instance_type:
    description: EC2 instance type; which Availability Zones offer it is returned.
    type: str
  databases:
    description:
      - Databases of RDS that there are or shall be, name to what is wanted of each. C(class) is its instance class;
        C(engine) its engine, V(postgres) by default; C(version) the engine's version, of which the major number will
        do, any by default; C(stack) one of O(stacks), whose output C(InstanceId) is the database there is now.
    type: dict
    default: {}
  ami_parameter:
    description: Name of a public SSM parameter that holds an AMI id.
    type: str
  ami_id:
    description: Id of an AMI to describe (a pinned one) besides the one of O(ami_parameter).
    type: str
  prefix_list:
    description: Name of a prefix list of AWS's own; its id in the region is returned.
    type: str
  cluster_stack:
    description:
      - Name of one of O(stacks), whose parameter C(HostAmiId) is the AMI that hosts start from now, and whose output
        C(AlbDnsName) is the load balancer that the site's own DNS records point at.
    type: str
  certificate_stack:
    description: Name of a stack of which certificates are wanted that it has replaced and could not delete.
    type: str
  edge_stack:
    description:
      - Name of one of O(stacks), whose output C(EdgeDomainName) is a CDN that the site's own DNS records may point at
        in place of the load balancer.
    type: str
  quotas:
    description: Whether to ask what the account's quotas leave; a missing right to ask is no failure.
    type: bool
    default: false
  database_majors:
    description: Whether to ask which major versions of the engines of O(databases) are in standard support.
    type: bool
    default: false
  key_pairs:
    description: Whether to ask for the names of the region's key pairs.
    type: bool
    default: false
  launch_configurations:
    description: Whether to ask what tells if the account can make launch configurations.
    type: bool
    default: false
  instance_metadata:
    description: Whether to ask if the account forbids instances that answer IMDSv1.
    type: bool
    default: false
  volume_key:
    description: Whether to ask if Auto Scaling may use the key that encrypts EBS volumes by default.
    type: bool
    default: false
  domains:
    description:
      - Names of the site, each with the id of the hosted zone of Route 53 that answers for it; empty where its DNS is
        elsewhere. The zones are described, and the names' records looked for in them.
    type: dict
    default: {}
  delegation:
    description: Whether to ask the DNS which name servers answer for the zones of O(domains).
    type: bool
    default: false
  vpc_id:
    description: Id of a VPC to describe.
    type: str
  subnets:
    description: Ids of subnets to describe, with O(vpc_id).
    type: list
    elements: str
    default: []
  backup_types:
    description: Types of resources, in AWS Backup's words (V(EFS)), of which to tell whether it is let at them.
    type: list
    elements: str
    default: []
  file_systems:
    description: EFS file systems to find, name to the value of the Name tag of each.
    type: dict
    default: {}
  buckets:
    description: Names of S3 buckets to look for.
    type: list
    elements: str
    default: []
  tables:
    description:
      - Tables of DynamoDB to describe. Each has the C(name) of one that exists, or C(stack), one of O(stacks), whose
        output C(TableName) is the table there is now.
    type: dict
    default: {}
  repositories:
    description: Names of ECR repositories to look for.
    type: list
    elements: str
    default: []
  secrets:
    description: Names of secrets to look for.
    type: list
    elements: str
    default: []
  stacks:
    description: Names of stacks whose parameters (pins, for example) and outputs are wanted.
    type: list
    elements: str
    default: []
author: Berth
"""

EXAMPLES = r"""
- name: Ask the account
  aws_account_info:
    questions_of: [network, database]
    instance_type: "{{ host_instance_type }}"
    databases:
      main: {class: db.t4g.micro, engine: postgres, version: "15", stack: "{{ site_prefix }}-database-main"}
    ami_parameter: /aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id
    quotas: true
    file_systems: {uploads: "{{ site_prefix }}/uploads"}
    stacks: ["{{ site_prefix }}-cluster", "{{ site_prefix }}-database-main"]
  register: preflight_asked
"""

RETURN = r"""
account: {description: Id of the account., returned: always, type: str}
arn: {description: Who asks., returned: always, type: str}
region: {description: The region that was asked., returned: always, type: str}
partition: {description: "V(aws), V(aws-cn) or V(aws-us-gov).", returned: always, type: str}
availability_zones:
  description: Names of Availability Zones, sorted.
  returned: always
  type: dict
  contains:
    available: {description: Those that the account may use., type: list}
    instance_type: {description: Those of them that offer O(instance_type)., type: list}
    suitable: {description: Those that offer O(instance_type) and every class of O(databases)., type: list}
ami:
  description: The AMI that O(ami_parameter) holds now, C(id), C(name), C(creation_date), C(deprecation_time), C(found).
  returned: when asked
  type: dict
ami_pinned:
  description: The AMI O(ami_id), in the same form.
  returned: when asked
  type: dict
ami_live:
  description: The AMI that the hosts of O(cluster_stack) start from, in the same form.
  returned: when asked and there
  type: dict
backup_types:
  description: Each of O(backup_types), and whether AWS Backup is let at it in the region.
  returned: when asked and answered
  type: dict
prefix_list:
  description: Id of the prefix list O(prefix_list); empty if the region has none of that name.
  returned: when asked
  type: str
databases:
  description: What is known of each of O(databases), by its name.
  returned: always
  type: dict
  contains:
    versions: {description: Those of the engine with which the class is offered, oldest first., type: list}
    zones: {description: Those available that offer the class with the version., type: list}
    id: {description: Identifier of the database there is now; empty if there is none., type: str}
    class: {description: Its instance class., type: str}
    engine_version: {description: Its version., type: str}
    allocated: {description: "Its storage in GiB, with a growth under way; V(0) if there is none.", type: int}
    authority: {description: The authority that signs its certificate., type: str}
    log_days:
      description:
        - For how many days its exported log is kept; V(0) for ever, V(-1) if there is none yet. Missing if there is no
          database, or if that could not be asked, which is C(database_log_days) in RV(unasked).
      type: int
    login_due:
      description:
        - Whether what the site logs in with has not been written since the database was made. Missing if its stack has
          no secret for it, or if that could not be asked, which is C(database_login) in RV(unasked).
      type: bool
database_majors:
  description:
    - Engine to its major versions, oldest first, C(version), C(start) and C(end) of standard support as dates, and
      whether they are C(supported) today.
  returned: when asked and O(databases) has any
  type: dict
database_authorities:
  description:
    - Identifier to an authority of RDS that signs servers' certificates, its C(end) as a date, how many C(days) are
      left, and whether new databases get it by C(default).
  returned: with RV(database_majors)
  type: dict
certificates_left:
  description: ARNs of the certificates that O(certificate_stack) has replaced and that are still there.
  returned: when asked
  type: list
key_pairs: {description: Names of the region's key pairs., returned: when asked, type: list}
launch_configurations:
  description:
    - C(some) whether the region has launch configurations; C(account_created) the day on which the account was made,
      asked only where there are none.
  returned: when asked
  type: dict
instance_metadata:
  description:
    - C(tokens_enforced) whether an instance that answers IMDSv1 cannot start; C(managed_by) V(account) or
      V(declarative-policy).
  returned: when asked
  type: dict
volume_key:
  description:
    - The key that encrypts EBS volumes by default, C(id); whether it is C(usable) for the C(grantee), the
      service-linked role of Auto Scaling.
  returned: when asked
  type: dict
hosted_zones:
  description: Id to the zone, C(found), C(name), C(private), C(name_servers), of all that O(domains) names.
  returned: when asked
  type: dict
records:
  description:
    - Name of O(domains) to its A, AAAA and CNAME records, C(own), and those of the C(wildcard) that answers in their
      absence; each with C(name), C(type), C(text) as a person reads it, and C(ours) if it points at the load balancer
      of O(cluster_stack). C(elsewhere) has the texts of those that answer for the name and point elsewhere.
  returned: when asked
  type: dict
delegation:
  description: Id of a zone to the name servers to which the DNS sends who asks for it; empty if it knows no such zone.
  returned: when asked
  type: dict
vpc:
  description: The VPC O(vpc_id), C(id), C(found), C(owner) (an account), C(cidrs), C(dhcp_options).
  returned: when asked
  type: dict
subnets:
  description:
    - Those of O(subnets) that there are, by id, C(vpc), C(zone), C(free) (addresses), C(public) (whether instances get
      public addresses).
  returned: when asked
  type: dict
vpc_dns:
  description: Whether the VPC has DNS C(support) and DNS C(hostnames).
  returned: when asked and there
  type: dict
vpc_resolvers:
  description: The DNS servers that the DHCP options of the VPC name, V(AmazonProvidedDNS) for the VPC's own.
  returned: when asked and there, and the VPC has a set of DHCP options
  type: list
ways_out:
  description:
    - Subnet to where its route to 0.0.0.0/0 leads, C(igw-…) or C(nat-…) for example; empty without such a route.
      Missing if its route table is not shown, as may be in a VPC that another account shares.
  returned: when asked and there
  type: dict
vpc_endpoints:
  description: Services that have an endpoint in the VPC, V(ecs-agent) for example.
  returned: when asked and there
  type: list
quotas:
  description:
    - Each quota's C(limit) and what is C(used) of it, by V(vpcs) and V(elastic_ips) (only without O(vpc_id)), V(vcpus)
      (running on-demand standard instances; also C(each), those of O(instance_type), and C(groups), by Auto Scaling
      Group), V(databases) (only if one of O(databases) has no stack that is up), V(file_systems) (only if one of
      O(file_systems) is not there), V(load_balancers) (only without a O(cluster_stack)) and V(certificate_names) (only
      for more O(domains) than the 10 that every account may have in a certificate).
    - A quota that could not be asked is missing here.
  returned: when asked
  type: dict
unasked:
  description: Questions that the account did not answer, each with the reason.
  returned: always
  type: dict
file_systems:
  description: The EFS file systems of each name in O(file_systems), C(id), C(arn), C(name), C(state), C(tags).
  returned: always
  type: dict
file_system_ids:
  description: Ids of all EFS file systems of the region.
  returned: if there are O(file_systems)
  type: list
buckets:
  description: Name to V(mine), V(taken) (by another account) or V(absent).
  returned: always
  type: dict
tables:
  description:
    - What is known of each of O(tables), C(name), whether it was C(found), its global secondary C(indexes) in the words
      of C(site_tables), and the names of those that are C(unready). Missing where there is no name to ask by yet.
  returned: always
  type: dict
repositories:
  description: The names of those ECR repositories that exist.
  returned: always
  type: list
secrets:
  description: The names of those secrets that exist, also those about to be deleted.
  returned: always
  type: list
stacks:
  description: Stack name to its C(status), C(parameters) and C(outputs), for those that exist.
  returned: always
  type: dict
"""
