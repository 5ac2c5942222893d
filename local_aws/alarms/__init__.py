"""CloudWatch alarms: what state data give them, and when their actions are silent.

moto keeps alarms and data; `local_aws.patches.cloudwatch` has what it lacks, `local_aws.parts.alarms` goes round.
"""
