#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: https_answer
short_description: Wait until a site answers over HTTPS
description:
  - Connects to an address, asks for a name (SNI and Host), and checks the certificate against that name. So a site can
    be seen to work before its DNS record has reached everybody. A redirect is an answer too.
  - A site in maintenance (M(alb_maintenance)) is asked with the cookie that is let through, and that is said. Where no
    rule lets anybody through, the page is what is seen, and that is said too.
extends_documentation_fragment: [region]
options:
  name:
    description: The site's domain name, as in its certificate.
    type: str
    required: true
  address:
    description: Name or address to connect to.
    type: str
    required: true
  port:
    description: TCP port.
    type: int
    default: 443
  path:
    description: Path to ask for.
    type: str
    default: /
  ca_file:
    description: File with the certificate authority to trust; the system's own if empty.
    type: path
    default: ""
  timeout:
    description: Seconds to wait for such an answer.
    type: float
    default: 300
  below:
    description: The status of a good answer is below this one.
    type: int
    default: 400
  redirected_to:
    description: Name to which the answer must lead, over HTTPS and with the same path; any answer will do if empty.
    type: str
    default: ""
  shows:
    description: Texts of which the answer must show one, as it shows the release that gave it; none if empty.
    type: list
    elements: str
    default: []
  header:
    description: Header of the answer that shows it; the first 64 KiB of its body if empty.
    type: str
    default: ""
  prefix:
    description: Begin of the site's stack names, for its load balancer; maintenance is not looked for if empty.
    type: str
    default: ""
author: Berth
"""

EXAMPLES = r"""
- name: See that the site answers
  https_answer:
    name: www.example.org
    address: shop-prod-1234567890.eu-central-1.elb.amazonaws.com

- name: See that it is the new release that answers
  https_answer:
    name: www.example.org
    address: shop-prod-1234567890.eu-central-1.elb.amazonaws.com
    path: /healthz
    header: X-Release
    shows: [2026.11.3]
"""

RETURN = r"""
status:
  description: HTTP status of the answer.
  returned: success
  type: int
page:
  description: Whether it was the maintenance page, which everybody is shown there.
  returned: success
  type: bool
"""
