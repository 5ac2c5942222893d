"""Lambda and API Gateway's HTTP APIs: what happens to a request until a function has answered it.

`gateway` finds route and function of a request, `events` and `responses` put it into the function's words and back, and
`environments` keeps what functions run in. The containers are those of `local_aws/parts/functions.py`.
"""
