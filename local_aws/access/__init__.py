"""IAM at the door: who calls, what the call needs, and whether it may. `local_aws.iam` judges; this asks and obeys.

A request to the APIs becomes a caller (`callers`) and needs (`needs`: actions, resources, context); the front (`front`)
has each need judged, writes denials down (`denials`) and, where it enforces, answers as AWS does.
"""
