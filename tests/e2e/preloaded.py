"""What `python -m local` does before its command, done once for all forks."""

import gc
import importlib
import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)
gc.disable()
for module in ("local.cli.main", "stacks.aws", "stacks.gcp"):
    importlib.import_module(module)
