"""The first process of a function's container: an execution environment of Lambda.

It starts the runtime (`process`), serves it the Runtime API (`servers`), hands it one event at a time, freezes it in
between, and ends it when its time is up (`lifecycle`). Whoever runs the container calls a function by `POST /invoke`.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""
