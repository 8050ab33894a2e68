"""Who writes to a file: asked of the real system, and of a list of mounts as other machines have it."""

import subprocess
from pathlib import Path

import pytest

from tripsmith.sources.writers import is_open_for_writing, is_remote

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:35 / /data rw,relatime shared:20 - nfs4 server:/export rw,vers=4.2
41 22 8:2 / /data/local rw,relatime shared:21 - xfs /dev/sdb1 rw
42 22 0:36 / /with\\040space rw,relatime - fuse.sshfs me@host:/ rw
43 22 0:37 / /twice rw,relatime - cifs //host/share rw
44 22 8:3 / /twice rw,relatime - ext4 /dev/sdc1 rw
"""


def test_a_writer_is_seen_until_it_closes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.touch()
    assert is_open_for_writing(path) is False
    with subprocess.Popen(["sh", "-c", f"exec 3>>{path}; read line"], stdin=subprocess.PIPE) as writer:
        while not any(fd.resolve() == path for fd in Path(f"/proc/{writer.pid}/fd").iterdir()):
            assert writer.poll() is None
        assert is_open_for_writing(path) is True
        writer.communicate(b"\n")
    assert is_open_for_writing(path) is False
    with path.open("rb"):
        assert is_open_for_writing(path) is False


def test_what_is_no_file_is_not_known(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file.csv")
    assert is_open_for_writing(tmp_path / "link") is None
    assert is_open_for_writing(tmp_path / "nothing") is None


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("/", False),
        ("/database", False),
        ("/data", True),
        ("/data/inbox", True),
        ("/data/local/inbox", False),
        ("/with space/inbox", True),
        ("/twice", False),
    ],
)
def test_a_folder_on_a_network_is_known_by_its_mount(tmp_path: Path, folder: str, expected: bool) -> None:
    (tmp_path / "mountinfo").write_text(MOUNTS)
    assert is_remote(Path(folder), tmp_path / "mountinfo") is expected
