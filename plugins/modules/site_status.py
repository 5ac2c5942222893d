#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: site_status
short_description: Say how a site is
description:
  - Asks AWS about everything that the inventory describes, judges the answers, and shows them on the terminal, as JSON
    or as one HTML page that needs nothing from elsewhere.
  - It only reads, also outside of check mode. What it has no right to ask is said with the name of the right.
  - The site is that of the inventory (C(site_services) and so on). No value of a secret is asked for.
extends_documentation_fragment: [region]
options:
  layers:
    description: Words of the site's layers, by which its stacks are known.
    type: list
    elements: str
    required: true
  format:
    description: C(text), C(json) or C(html).
    type: str
    default: text
  output:
    description:
      - File to write into; in the current folder where it is relative. Without one, C(html) writes
        C(status.<environment>.html), and the others are shown.
    type: str
    default: ""
  volume_gb:
    description: Root volume of a host in GiB, for the estimate of the costs.
    type: int
    default: 30
  nat:
    description: Whether the site has a NAT gateway, for the same.
    type: bool
    default: false
  zones:
    description: Number of hosted zones, for the same.
    type: int
    default: 0
  subscribers:
    description: Who is to be told by alarms, C(alarms_subscribers). Nobody is, who has not confirmed.
    type: list
    elements: str
    default: []
author: Berth
"""

EXAMPLES = r"""
- name: See how the site is
  site_status:
    layers: "{{ site_stages.values() | flatten }}"
  register: site

- name: Stop if it is not well
  ansible.builtin.assert:
    that: site.well
    fail_msg: "{{ site.wrong | join('; ') }}"
"""

RETURN = r"""
well:
  description: Whether nothing is wrong.
  returned: always
  type: bool
wrong:
  description: What is wrong, a sentence each, the first ten.
  returned: always
  type: list
written:
  description: Path of the file that was written; empty for none.
  returned: always
  type: str
status:
  description:
    - The model, which C(format=json) shows. Times are UTC, C(2026-11-27T00:23:59Z), ages in whole seconds
      (C(…age_seconds)); a list or mapping is C(null) where it could not be asked or where there is nothing to ask.
  returned: always
  type: dict
  contains:
    site:
      description: C(name), C(environment), C(region), C(url), C(asked) (when), C(up).
      type: dict
    well:
      description: Whether C(wrong) is empty.
      type: bool
    wrong:
      description: C(about) (C(service.web)), C(what) is the matter, and what to C(type), which may be empty.
      type: list
    notes:
      description: The same of what is worth knowing and no reason to act at once.
      type: list
    unasked:
      description: C(about), C(action) (the right that is missing, empty where the reason is another), C(why).
      type: list
    topology:
      description: C(nodes) (C(id), C(kind), C(name), C(detail), C(column), C(well)) and C(lines) (C(from), C(to)).
      type: dict
    stacks:
      description: C(layer), C(name), C(status), C(reason), C(changed), C(age_seconds), C(drifted), C(well).
      type: list
    hosts:
      description:
        - C(instance), C(state), C(usable), C(type), C(zone), C(launched), C(age_seconds), C(behind), C(ami) (C(id),
          C(name), C(age_days), C(deprecated)), C(agent) (C(version), C(connected)), C(docker), C(tasks), and of
          C(memory) in MiB and C(cpu) in units what it has for tasks (C(of)) and what is C(left).
      type: list
    services:
      description:
        - C(name), C(release), C(revision), C(running), C(desired), C(pending), C(no_place) (the arithmetic), C(targets)
          (C(container), C(port), C(target), C(state), C(reason)), C(deployments) (C(status), C(rollout), C(reason),
          C(revision), counts), C(stopped), the last five tasks that ended (C(task), C(revision), C(started),
          C(stopped), C(reason), C(code), C(failed), C(containers) with C(name), C(exit_code), C(reason), C(log)).
      type: list
    certificate:
      description: C(domain), C(names), C(status), C(ends), C(days_left), C(renewal).
      type: dict
    databases:
      description:
        - C(name), C(identifier), C(status), C(class), C(engine), C(storage_gb),
          C(storage_max_gb) (null if it does not grow by itself), C(multi_az), C(backup_days),
          C(restorable_to), C(newest_backup), C(maintenance), C(waiting_changes) (names only),
          C(certificate) (C(authority), C(authority_ends), C(authority_days_left), C(ends), C(days_left), C(usual), the
          authority that new databases get).
      type: list
    volumes:
      description: C(name), C(file_system), C(status), C(size_gb), C(newest_backup).
      type: list
    backups:
      description:
        - Where C(site_backups) says something C(every_seconds), C(newest) (the newest good one) and C(last) (the last
          that has ended) with C(name), C(outcome), C(reason), C(release), C(at), C(age_seconds), C(contents).
      type: dict
    schedules:
      description:
        - C(name), C(schedule), C(zone), C(state) (V(not due yet), V(well), V(runs), V(late), V(failed),
          V(did not start), V(not known)), C(due) (when the last run should have begun), C(began) (when one did),
          C(exit_code) (null where ECS has forgotten it, after about an hour), C(running) (how many now), C(lost) (how
          many Scheduler could not start, of the last two weeks), C(last_wrote), C(stopped) as of a service.
      type: list
    ledger:
      description: C(there), C(lock) (C(verb), C(who), C(where), C(run), C(started)), C(verbs), the last five.
      type: dict
    raw:
      description:
        - Of a preview environment, what of its data nobody has anonymised yet, C(backup), C(parts) and C(typed) (the
          arguments of the restore that does). C(null) where there is nothing of that.
      type: dict
    maintenance:
      description:
        - C(on), C(since), C(age_seconds), C(until), C(over) (whether that is past), C(verb) and C(run) (of a verb that
          shows the page as long as it runs), C(cookie) (whether there is one; never its value), C(addresses) (that are
          let through), C(rules) (of the load balancer, also those that are left while it is off).
      type: dict
    autoscaling:
      description:
        - Of each service that scales C(service), C(suspended) (what of it), C(held) (whether a run has suspended it)
          and C(run).
      type: list
    alarms:
      description:
        - C(topic), C(subscribers) (C(endpoint), C(state)) and C(alarms), each with C(name), C(layer), C(called),
          C(state), C(since), C(age_seconds), C(reason), C(says), C(page), C(tells) (whether its actions are on) and how
          many C(metrics) it looks at. C(null) of a site that tells nobody.
      type: dict
    cost:
      description: C(usd), C(lines), C(without_price), C(not_in), C(dated), C(prices_of), C(same_region), C(file).
      type: dict
"""
