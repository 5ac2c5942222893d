"""The real ECS agent in the place of the stand-in: what a person names is checked, and put into each host.

The agent itself is in no repository of ours. What runs where: `binary.py` and `placing.py` on this machine, `start.py`
and `real-agent.conf` on the host.
"""
