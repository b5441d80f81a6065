"""What the commands refuse before anything changes."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from local.cli.commands import preview
from local.cli.home import Home, LocalError

FILE = Path("file")


@pytest.mark.parametrize("preview", [partial(preview, plan=FILE), partial(preview, policy_log=FILE)])
def test_a_preview_writes_the_file_of_one_stack(tmp_path: Path, preview: Callable[[Home, str], None]) -> None:
    with pytest.raises(LocalError, match=r"^pr-12 is the stacks aws-pr-12 and gcp-pr-12: name one of them$"):
        preview(Home(tmp_path), "pr-12")
    assert not list(tmp_path.iterdir())
