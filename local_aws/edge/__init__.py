"""A CDN's half that answers: a distribution as CloudFront's API tells it becomes configuration of nginx.

Pure text, held against CloudFront's documented rules over real sockets; `parts/edge.py` makes a container of it.
"""
