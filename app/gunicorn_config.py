"""gunicorn on Cloud Run (https://cloud.google.com/run/docs/tips/python)."""

from app.settings import SettingsError, bind_address, thread_count

try:
    bind = bind_address()
    threads = thread_count() + 1  # for the probes: Cloud Run kills an instance whose liveness waits behind requests
except SettingsError as error:
    raise SystemExit(f"better-together: {error}") from None
workers = 1
worker_class = "app.gunicorn_worker.Worker"
# Cloud Run restarts what hangs; gunicorn's own timeout would kill workers that are merely throttled.
timeout = 0
# Seconds that an idle connection stays open. Whoever closes it first must be the front, or a request that it sends
# meanwhile is lost: Google's fronts keep theirs for 600 s, and recommend more behind them
# (https://cloud.google.com/load-balancing/docs/https/#timeout-keepalive-backends).
keepalive = 620
control_socket_disable = True
# No header of a request is another's word: neither the scheme nor SCRIPT_NAME comes from one.
forwarded_allow_ips = ""
# app.http.limits decides how long a request may be; these are above all that Cloud Run's front door lets in.
limit_request_line = 0
limit_request_fields = 32768
limit_request_field_size = 64 * 1024
