"""gunicorn on Cloud Run (https://cloud.google.com/run/docs/tips/python)."""

import gc

from app.settings import SettingsError, bind_address, thread_count

gc.disable()  # gunicorn imports its worker, and with it Flask, before that enables collections again in app.wsgi

try:
    bind = bind_address()
    threads = thread_count() + 1  # for probes: Cloud Run kills an instance if its liveness probe waits behind requests
except SettingsError as error:
    raise SystemExit(f"better-together: {error}") from None
workers = 1
worker_class = "app.gunicorn_worker.Worker"
# Cloud Run restarts an instance that hangs; gunicorn's timeout would also kill a worker that is merely throttled.
timeout = 0
# Seconds that an idle connection stays open. The front end must close it first, or a request that it sends in the
# meantime is lost. Google's front ends close theirs after 600 s and recommend a longer time for backends
# (https://cloud.google.com/load-balancing/docs/https/#timeout-keepalive-backends).
keepalive = 620
control_socket_disable = True
# Trust no proxy: neither the scheme nor SCRIPT_NAME comes from a header.
forwarded_allow_ips = ""
# app.http.limits limits the length of a request; these limits are above all that Cloud Run accepts.
limit_request_line = 0
limit_request_fields = 32768
limit_request_field_size = 64 * 1024
