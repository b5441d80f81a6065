"""gunicorn on Cloud Run (https://cloud.google.com/run/docs/tips/python)."""

from app.settings import SettingsError, bind_address, thread_count

try:
    bind = bind_address()
    threads = thread_count()
except SettingsError as error:
    raise SystemExit(f"better-together: {error}") from None
workers = 1
# Cloud Run restarts what hangs; gunicorn's own timeout would kill workers that are merely throttled.
timeout = 0
control_socket_disable = True
