"""The user's cache folder, with what is made once for all checkouts."""

import os
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "better-together"
