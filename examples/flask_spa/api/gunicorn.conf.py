"""https://docs.gunicorn.org/en/stable/settings.html, for a container of 256 MiB."""

import os

bind = f"0.0.0.0:{os.environ.get('PORT', '5000')}"
workers = 2
worker_class = "gthread"
threads = 4
preload_app = True  # the workers share the memory of what is imported
worker_tmp_dir = "/dev/shm"  # noqa: S108 - the heartbeat must not wait for a disk
keepalive = 75  # longer than the load balancer's idle timeout of 60 s, or else it meets connections that just closed
graceful_timeout = 20  # less than the 30 s after which ECS kills a stopping container
control_socket_disable = True  # its socket would be a file beside the code, which the user may not write
accesslog = "-"
access_log_format = '%({X-Forwarded-For}i)s "%(r)s" %(s)s %(b)s %(L)s'
