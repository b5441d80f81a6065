"""The user's cache folder, with what is made once for all checkouts."""

import os
from pathlib import Path

_given = Path(os.environ.get("XDG_CACHE_HOME", ""))
# A relative path is to be ignored: https://specifications.freedesktop.org/basedir-spec/latest/
CACHE = (_given if _given.is_absolute() else Path.home() / ".cache") / "better-together"
