#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: local_images
short_description: Say what of this machine's images a person would want to know before a deployment
description:
  - Says which local images differ from what is live, as a run without a word to the contrary keeps what is live.
  - Warns where an image says that it listens on other ports (C(EXPOSE)) than the one that the load balancer will ask.
  - Refuses a run that wants images which this machine has not.
  - Changes nothing. A machine without a Docker engine, or without these images, has nothing to say.
options:
  images:
    description: Container to image of the local Docker engine.
    type: dict
    required: true
  live:
    description: Container to image of the registry that is live and will stay so; empty where local images are taken.
    type: dict
    default: {}
  ports:
    description: Container to the port on which the load balancer asks it.
    type: dict
    default: {}
  wanted:
    description: Whether the images are to be published, so that a missing one is an error.
    type: bool
    default: false
  engine:
    description: Whether an engine that does not answer is an error too, or only said where images are O(wanted).
    type: str
    choices: [optional, required]
    default: optional
requirements: [docker]
author: Berth
"""

EXAMPLES = r"""
- name: See whether the local images are those that are live
  local_images:
    images: "{{ site_images }}"
    live: "{{ live.images }}"
    ports: {nginx: 80}
"""

RETURN = r"""
differ:
  description: Local images that are not what is live.
  returned: always
  type: list
  sample: [legacy-site/django]
contents:
  description: Container to the id of its image's content, of those that this machine has.
  returned: always
  type: dict
"""
