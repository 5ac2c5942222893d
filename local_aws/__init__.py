"""An embedded AWS for one machine: moto's service APIs with real parts behind them.

For development, tests and demonstrations; production is AWS. `README.md` in this folder says what is real, what is
emulated and how far. Nothing in here is imported by a role or a playbook.
"""
