"""EventBridge Scheduler: when a schedule is due, what it starts, and what becomes of a start that fails.

moto keeps the schedules, `local_aws.patches.scheduler` refuses what AWS refuses, `local_aws.parts.schedules` runs them.
"""
