"""https://docs.gunicorn.org/en/19.x/settings.html, for a container of 256 MiB."""
bind = "0.0.0.0:8000"
workers = 2
worker_class = "gthread"
threads = 2
preload_app = True  # the workers share the memory of what is imported
worker_tmp_dir = "/dev/shm"  # the heartbeat must not wait for a disk
timeout = 60
graceful_timeout = 20  # less than the 30 s after which ECS kills a stopping container
accesslog = "-"
access_log_format = '%({X-Forwarded-For}i)s "%(r)s" %(s)s %(b)s %(L)s'
