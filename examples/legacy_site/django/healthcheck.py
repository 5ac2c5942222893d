"""Exit 0 if Django and its database answer; the container's health check."""
import sys
import urllib2

try:
    urllib2.urlopen("http://127.0.0.1:8000/healthz", timeout=4)
except IOError as error:
    sys.exit("/healthz: %s" % error)
