"""CloudFormation in front of moto's service APIs: moto keeps the protocol, the stacks are ours.

template.py, parameters.py, intrinsics.py   what a template says
schema.py                                   what a resource type allows (cfn-lint's copies of the official schemas)
handlers/                                   how a resource type is made, changed and deleted: boto3 against ourselves
plan.py, engine.py                          what would change, and doing it
api.py                                      the API's actions
"""
