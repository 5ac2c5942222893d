"""A CDN's half that answers, as configuration of nginx: written and tested, and not a part of the embedded AWS yet.

What is here is pure text: a distribution as CloudFront's API tells it becomes files. `python -m local_aws up` makes no
container of them, so it refuses distributions (patches/cloudfront.py).
"""
