"""Scaling by load: of services by target tracking, of hosts by what the tasks need. `parts/scaling.py` applies it."""
