"""AWS's APIs as they may answer: late, stale, paged short, throttled. `up --late`; off otherwise, at no cost.

calls.py    which operation a request is, with its parameters, from botocore's models
chance.py   what happens to the nth call of an operation: drawn from the seed
pages.py    short pages, wherever botocore has a paginator
stale.py    answers of before a write, and "not there yet"
errors.py   throttling and server errors in the shape of the service's protocol
front.py    the WSGI application that puts them in front of the APIs
"""
