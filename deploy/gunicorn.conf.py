"""How gunicorn serves the product in a container. WEB_CONCURRENCY sets the number of processes."""

from contextlib import suppress
from ctypes import CDLL

bind = "0.0.0.0:8000"
# Threads, so that a long download (a whole list as a stream) does not hold up a process.
worker_class = "gthread"
threads = 4
timeout = 60
graceful_timeout = 30
keepalive = 30
# A process that has grown is replaced, not all at once.
max_requests = 5000
max_requests_jitter = 500
# Heartbeats in memory: on a busy disk a worker would look dead.
worker_tmp_dir = "/dev/shm"
# Nothing steers the processes from inside the container.
control_socket_disable = True
accesslog = "-"
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'

# One arena of memory for all threads: glibc gives each its own, and each keeps what its longest list ever took.
M_ARENA_MAX = -8
with suppress(AttributeError, OSError):  # another C library has no such thing
    CDLL(None).mallopt(M_ARENA_MAX, 1)
