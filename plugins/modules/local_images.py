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
    description: Images of the local Docker engine, as containers call them.
    type: list
    elements: str
    required: true
  live:
    description: Of these, image to image of the registry that is live and will stay so.
    type: dict
    default: {}
  ports:
    description: Who is asked on which port, a mapping each of C(image), C(container) and C(port).
    type: list
    elements: dict
    default: []
  wanted:
    description: Of these, the images that are to be published, so that a missing one is an error.
    type: list
    elements: str
    default: []
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
    images: [shop/django]
    live: {shop/django: "1.dkr.ecr.us-east-1.amazonaws.com/shop-prod/shop-django:0f3c9d1e2a4b@sha256:4f0c…"}
    ports: [{image: shop/django, container: web.django, port: 8000}]
"""

RETURN = r"""
differ:
  description: Local images that are not what is live.
  returned: always
  type: list
  sample: [legacy-site/django]
contents:
  description: Image to the id of its content, of those that this machine has.
  returned: always
  type: dict
"""
