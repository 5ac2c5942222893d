"""Load balancers: what the APIs say of them, and the HAProxy that stands for each."""
