#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: aws_account_info
short_description: Everything about the account that has to be known before anything is made in it
description:
  - One task instead of two dozen, its questions asked side by side, and it changes nothing. Each question is asked only
    where its option is given.
  - What follows a missing right or an API that is not there is in RV(unasked); nothing is said about it elsewhere.
options:
  instance_type:
    description: EC2 instance type; which Availability Zones offer it is returned.
    type: str
  database_class:
    description: RDS instance class; which Availability Zones offer it is returned.
    type: str
  database_engine:
    description: Engine for O(database_class).
    type: str
    default: postgres
  database_engine_version:
    description: Version for O(database_class); a major version will do. Any by default.
    type: str
  ami_parameter:
    description: Name of a public SSM parameter that holds an AMI id.
    type: str
  ami_id:
    description: Id of an AMI to describe (a pinned one) besides the one of O(ami_parameter).
    type: str
  cluster_stack:
    description:
      - Name of one of O(stacks), whose parameter C(HostAmiId) is the AMI that hosts start from now, and whose output
        C(AlbDnsName) is the load balancer that the site's own DNS records point at.
    type: str
  database_stack:
    description: Name of one of O(stacks), whose output C(DatabaseInstanceId) is the database there is now.
    type: str
  quotas:
    description: Whether to ask what the account's quotas leave; a missing right to ask is no failure.
    type: bool
    default: false
  database_majors:
    description: Whether to ask which major versions of O(database_engine) are in standard support.
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
  hosted_zone:
    description: Id of a hosted zone of Route 53 to describe.
    type: str
  domain_name:
    description: Name whose records in O(hosted_zone) are wanted.
    type: str
  delegation:
    description: Whether to ask the DNS which name servers answer for O(hosted_zone).
    type: bool
    default: false
  file_system_name:
    description: Value of the Name tag of EFS file systems to find.
    type: str
  buckets:
    description: Names of S3 buckets to look for.
    type: list
    elements: str
    default: []
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
  region:
    description: AWS region; the default is the environment's.
    type: str
author: Berth
"""

EXAMPLES = r"""
- name: Ask the account
  aws_account_info:
    instance_type: "{{ host_instance_type }}"
    database_class: "{{ database_class }}"
    ami_parameter: /aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id
    quotas: true
    file_system_name: "{{ site_name }}-{{ environment_name }}/media"
    stacks: ["{{ site_name }}-{{ environment_name }}-cluster"]
  register: preflight_account_info
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
    database_class: {description: Those of them that offer O(database_class)., type: list}
    suitable: {description: Those that offer all that was asked for., type: list}
database_versions:
  description: The versions of O(database_engine) with which O(database_class) is offered, oldest first.
  returned: always
  type: list
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
database:
  description:
    - The database of O(database_stack), C(id), C(class), C(engine_version) and C(allocated_storage) in GiB (with a
      growth under way).
  returned: always, empty if there is none
  type: dict
database_log_days:
  description: For how many days the exported log of that database is kept; V(0) for ever, V(-1) if there is none yet.
  returned: when there is a database
  type: int
database_majors:
  description:
    - Major versions of O(database_engine), oldest first, C(version), C(start) and C(end) of standard support as dates,
      and whether they are C(supported) today.
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
hosted_zone:
  description: The zone, C(found), C(name), C(private), C(name_servers).
  returned: when asked
  type: dict
records:
  description:
    - The A, AAAA and CNAME records of O(domain_name), C(own), and those of the C(wildcard) that answers in their
      absence; each with C(name), C(type), C(text) as a person reads it, and C(ours) if it points at the load balancer
      of O(cluster_stack). C(elsewhere) has the texts of those that answer for the name and point elsewhere.
  returned: when asked
  type: dict
delegation:
  description: The name servers to which the DNS sends who asks for O(hosted_zone); empty if it knows no such zone.
  returned: when asked
  type: list
quotas:
  description:
    - Each quota's C(limit) and what is C(used) of it, by V(vpcs), V(elastic_ips), V(vcpus) (running on-demand standard
      instances; also C(each), those of O(instance_type), and C(groups), by Auto Scaling Group), V(databases),
      V(file_systems) (both only without a O(database_stack)) and V(load_balancers) (only without a O(cluster_stack)).
    - A quota that could not be asked is missing here.
  returned: when asked
  type: dict
unasked:
  description: Questions that the account did not answer, each with the reason.
  returned: always
  type: dict
file_systems:
  description: The EFS file systems of the name, C(id), C(arn), C(name), C(state), C(tags).
  returned: always
  type: list
buckets:
  description: Name to V(mine), V(taken) (by another account) or V(absent).
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
