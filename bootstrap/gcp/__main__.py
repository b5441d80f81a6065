"""The Pulumi program: what a project of Google Cloud needs before GitHub Actions deploys into it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # Pulumi adds this folder alone

from bootstrap.gcp.project import set_up

set_up()
