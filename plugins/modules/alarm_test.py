#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: alarm_test
short_description: Make an alarm ring, and say what has to arrive where
description:
  - Sets the state of an alarm of the site to C(ALARM), so that CloudWatch tells the topic as it would, and then back to
    what it was. Should the run end in between, CloudWatch takes it back with the next look at the metric.
  - Refuses an alarm that rings already, as nothing would be told of it, and a topic at which nobody has confirmed.
  - What arrives only who gets it can see; it says what that is, and with O(arrival_timeout) what SNS says of it. That
    it has delivered an e-mail means that a mail server took it.
  - In check mode it says which alarm would ring, and for whom.
extends_documentation_fragment: [region]
options:
  prefix:
    description: Begin of the site's stack names.
    type: str
    required: true
  layers:
    description: Words of the site's layers, by which its stacks are known.
    type: list
    elements: str
    required: true
  subscribers:
    description: Who is to be told.
    type: list
    elements: str
    required: true
  alarm:
    description: Which one, V(service.web.TasksMissing); the first that does not ring by default.
    type: str
    default: ""
  arrival_timeout:
    description: Seconds to wait until SNS has told what became of all messages; 0 asks it nothing.
    type: int
    default: 0
author: Berth
"""

EXAMPLES = r"""
- name: See that somebody hears it
  alarm_test:
    prefix: "{{ site_prefix }}"
    layers: "{{ site_stages.values() | flatten }}"
    subscribers: "{{ alarms_subscribers }}"
"""

RETURN = r"""
alarm:
  description: Name of the alarm.
  returned: success
  type: str
told:
  description: Who has to get something.
  returned: success
  type: list
arrived:
  description: C(expected), C(delivered) and C(failed) messages, as far as SNS has told; empty if it was not asked.
  returned: success
  type: dict
deaf:
  description: Who is to be told, and is not, as they have not confirmed or are not subscribed.
  returned: success
  type: list
"""
