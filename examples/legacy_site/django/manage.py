#!/usr/bin/env python2.7
"""Django's command line: python manage.py migrate | ensure_admin | collectstatic | shell"""
import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "legacy_site.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
