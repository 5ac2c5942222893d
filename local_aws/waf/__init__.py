"""A firewall for web applications, as WAF's API tells it: its rules, and what becomes of a request by them."""
