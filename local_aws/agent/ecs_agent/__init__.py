"""A stand-in for the Amazon ECS agent: same configuration, same protocol, same containers.

It runs on a host with Debian's python3-docker and python3-websockets and nothing else. Where it stands, the real agent
(with its ecs-init) could stand: it reads the same ecs.config, listens on the same introspection port and speaks the
same messages.
"""

VERSION = "1.105.1"
"""The version of the agent whose protocol this follows."""
HASH = "standin"
"""Where the real one has the commit that it was built of."""
