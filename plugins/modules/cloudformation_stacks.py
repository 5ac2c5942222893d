#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: cloudformation_stacks
short_description: Deploy the layers of a site as CloudFormation stacks, side by side
description:
  - Brings each stack to what its template and parameters say, as soon as the stacks whose outputs it takes are there.
  - A Parameter that a template declares, that is not given, and that is an Output of another layer of the call is taken
    from there. These relations make the order; nothing else has to be said about it.
  - A layer is a word (C(network)), or one entry of a noun of which a site may have several (C(database.main)). The
    outputs of an entry have its name (C(database.main.SecretArn)), and are taken only where C(takes) says so.
  - A stack may be found in any state (an interrupted run, a failed create, a rollback that failed); it is waited for,
    deleted and created, rolled back or refused, whichever fits, and the run goes on.
  - Shows the stacks' events while it waits. When a stack fails, the failing resource's own reason is the message, the
    stacks that do not depend on it are finished, and the others are named as not started.
  - Before anything is changed all existing stacks are looked at. What holds data and would be replaced, removed or
    hidden by the change, or no longer pointed at, is named with its physical id, and the run is refused, unless
    O(remove) names it. A stack whose template and parameters are as deployed needs no change set for that.
  - So is a container that would be led to other data, by a variable, a secret or a mounted path of the same name, as
    the deployed template and the new one tell. In a template's Metadata C(Berth::Data) may say which plain variables
    lead to data (container to variable to physical id, which is empty where the variable's own value is it).
  - An entry of O(layers) or O(later_layers) that has a stack, and that the inventory has no longer, is in RV(removed),
    and so is a layer without entries that says C(state=absent). The stack is left for a later call that names it in
    O(gone), after those that use it. If it holds data, the run is refused like any other that loses some.
  - Where this run holds the lock of an environment, it tells for each stack that changes how long it took in the runs
    before, and writes into the ledger how long it took now (C(durations) of the run's entry).
  - In check mode nothing is changed. Existing stacks are compared by change sets, which are deleted afterwards.
  - Interrupting the run leaves the stacks to CloudFormation, which goes on. The same command picks them up again.
extends_documentation_fragment: [region]
options:
  prefix:
    description: Begin of the stack names; a layer's stack is C(<prefix>-<layer>), or C(<prefix>-<noun>-<entry>).
    type: str
    required: true
  stacks:
    description:
      - The layers, name to options. The options are
      - C(template), file name in O(directory), rendered where it is given and holds Jinja; default C(<layer>.yml), for
        an entry C(<noun>.yml); or C(template_body), rendered text.
      - C(stack), end of the stack's name, default the layer's name. Two layers with one stack name and region are
        deployed once.
      - C(parameters), dict. Booleans are written in lower case and lists with commas.
      - C(takes), dict, parameter to the C(layer.Output) that it is taken from.
      - C(keep), list of parameters of which an existing stack keeps its present value.
      - C(keep_while), dict, parameter to the values of others with which an existing stack keeps its present value.
      - C(keep_because), what to say where such a value is another than the one in C(parameters).
      - C(first), dict of parameters for the very first create; the stack is updated to the real values right after.
      - C(outputs), dict, own name of an output to the name under which it is given on, without the name of an entry.
      - C(region), where not O(region).
      - C(protect), bool, termination protection; switched on after the first create is through.
      - C(timeout), seconds that a wait for the stack may take, default 3600.
      - C(tags), dict, added to O(tags).
    type: dict
    default: {}
  layers:
    description:
      - Layers that roles describe, by the roles' names, beside O(stacks). What C(<role>_layer) in the role's C(vars)
        says are the options; C(when) among them leaves the layer out where it is false, and its stack as it is. The
        template is that of the role's name, rendered where it holds Jinja.
      - C(state) among them, V(present) or V(absent), says of a layer without entries whether it is wanted at all.
      - Where C(vars) says C(<role>_entries), a dict, there is a layer for each entry (C(<role>.<entry>)), and
        C(<role>_layer) and the template may read C(entry_name) and C(entry).
      - With O(state=absent), all stacks of these names that there are, whatever the inventory says.
    type: list
    elements: str
    default: []
  later_layers:
    description: Layers as in O(layers), for a later call as in O(later).
    type: list
    elements: str
    default: []
  later:
    description:
      - Layers of a later call, options as in O(stacks). They are looked at with the others, so that what they would
        lose is found before anything is changed. They belong to the result only in check mode, and where neither they
        nor the layers of this call need a change. Then RV(complete) says that the later call has nothing to do.
    type: dict
    default: {}
  only:
    description:
      - Names of layers and entries (C(service.web)); all others are neither looked at nor touched, and nothing is
        RV(removed). All if empty.
    type: list
    elements: str
    default: []
  remove:
    description:
      - Physical ids of what holds data and may be replaced, removed or hidden all the same (the variable
        C(site_remove)). Whoever names a file system need not name its access points. An entry that the inventory has
        no longer is named as it was (C(volume.media)).
    type: list
    elements: str
    default: []
  refuse:
    description:
      - Whether a check run fails where a run would be refused. If not, that is said, and all that was found returned.
    type: bool
    default: true
  gone:
    description:
      - Names of entries and layers to delete once the layers of this call are through, as an earlier call gave them in
        RV(removed). Their protection is switched off.
    type: list
    elements: str
    default: []
  outputs:
    description: Outputs of layers outside this call, as known from an earlier one.
    type: dict
    default: {}
  tags:
    description: Tags of every stack, and so of every resource. A release must not be among them.
    type: dict
    default: {}
  directory:
    description: Where the templates lie. The default is C(cloudformation) in the project.
    type: path
  state:
    description:
      - V(absent) deletes the stacks, those first that take outputs from others. Which do is read from the deployed
        stacks and the templates; where neither tells, they are deleted one by one in the reverse of the given order.
    type: str
    choices: [present, absent]
    default: present
  unprotect:
    description:
      - With O(state=absent), switch off the termination protection of the stacks, and the deletion protection of their
        databases that are not retained.
    type: bool
    default: false
author: Berth
"""

EXAMPLES = r"""
- name: Bring up the layers as their roles describe them
  cloudformation_stacks:
    prefix: "{{ site_prefix }}"
    tags: "{{ site_tags }}"
    layers: [network, data, cluster]
    later_layers: [service]

- name: Bring up layers as written here
  cloudformation_stacks:
    prefix: "{{ site_name }}-{{ environment_name }}"
    tags: {Site: "{{ site_name }}", Environment: "{{ environment_name }}"}
    stacks:
      network: {parameters: {VpcCidr: "{{ network_cidr }}"}}
      data:
        parameters: {DatabaseClass: "{{ database_class }}"} # VpcId and the subnets come from network's outputs
        protect: true
      cluster:
        template_body: "{{ cluster_template }}"
        keep: [HostAmiId]
        first: {HostCountMinimum: 0}
    later:
      service: {parameters: {ServiceDesiredCount: 2}}
    remove: "{{ site_remove }}"
  register: site

- name: Delete the layers
  cloudformation_stacks:
    prefix: "{{ site_name }}-{{ environment_name }}"
    stacks: {network: {}, data: {}, cluster: {}}
    state: absent
    unprotect: true

- name: Bring up two databases and a service that takes from one of them
  cloudformation_stacks:
    prefix: "{{ site_name }}-{{ environment_name }}"
    stacks:
      database.main: {parameters: {DatabaseName: site}}
      database.reports: {parameters: {DatabaseName: reports}}
      service.web: {takes: {DatabaseSecretArn: database.main.SecretArn}}
"""

RETURN = r"""
stacks:
  description: What became of each layer.
  returned: always
  type: dict
  contains:
    ok: {description: Whether it is as it should be., type: bool}
    changed: {description: Whether it was changed., type: bool}
    outputs: {description: Its outputs., type: dict}
    plan: {description: Lines of the diff., type: list}
    reason: {description: Why it failed., type: str}
    kept: {description: Resources that a deletion left in place., type: list}
    seconds: {description: How long it took., type: float}
outputs:
  description: The outputs of all layers, under the names by which they are given on.
  returned: always
  type: dict
losses:
  description: What holds data and would be replaced, removed or hidden (or has been, with leave).
  returned: with O(state=present)
  type: list
  sample: [{layer: data, resource: Database, type: "AWS::RDS::DBInstance", physical_id: x, how: would be replaced}]
removed:
  description: Entries that the inventory has no longer, and absent layers; their stacks are still there.
  returned: with O(state=present)
  type: list
complete:
  description: Whether layers of a later call were given, and are as they should be like all others.
  returned: always
  type: bool
refusal:
  description: In check mode, why a run would be refused; empty if it would not. See O(refuse).
  returned: with O(state=present)
  type: str
changes:
  description:
    - What would become of each stack, as data (plugins/plugin_utils/plan/model.py); RV(stacks) has it as lines. No
      secret value is in it.
  returned: with O(state=present), in check mode
  type: list
billed:
  description:
    - C(before), what all stacks are billed for by the hour or month as they are, and C(after), as they would be; price
      of docs/prices.yml to how much of it, hosts at their least number. Read from templates and parameters; empty with
      O(only).
  returned: with O(state=present), in check mode
  type: dict
  sample: {before: {t3.micro: 1, alb: 1}, after: {t3.micro: 2, alb: 1}}
gaps:
  description: Which routes would not answer for a while.
  returned: with O(state=present), in check mode
  type: list
records:
  description: DNS records that certificates wait for, or waited for.
  returned: always
  type: list
  sample: [{name: _a.example.org., type: CNAME, value: _b.acm-validations.aws.}]
"""
