#!/bin/sh
# The entry point that the real plugin has too; its arguments (rexray start -f --nopid) mean nothing here.
export PYTHONPATH=/usr/lib/efs-client PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 -m efs_client.rexray
