"""The folder that commands delete things in is theirs."""

from pathlib import Path

import pytest

from local.cli.home import Home, LocalError


def test_a_folder_of_something_else_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    tmp_path.chmod(0o755)
    refusal = f"^{tmp_path} is no home of the laptop's clouds: name an empty or a new folder$"
    with pytest.raises(LocalError, match=refusal), Home(tmp_path).exclusive():
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["workspace"]
    assert tmp_path.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("name", ["empty", "new"])
def test_an_empty_or_new_folder_becomes_a_home(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    home = Home(tmp_path / name)
    for _ in range(2):
        with home.exclusive():
            home.workspace.mkdir(exist_ok=True)
