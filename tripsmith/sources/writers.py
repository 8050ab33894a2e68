"""Who still writes to a file, as far as the system can say."""

import fcntl
import os
import signal
from pathlib import Path

# Where a lease says nothing of writers on other machines, and clocks are not ours.
_NETWORKS = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "gluster", "lustre", "beegfs", "gpfs", "davfs", "ocfs2", "gfs2")
_PROGRAMS = ("fuse", "virtiofs", "vboxsf", "vmhgfs", "drvfs")
_MOUNTS = Path("/proc/self/mountinfo")


def is_open_for_writing(path: Path) -> bool | None:
    """Tell whether any program has a file open for writing; None where the system does not say.

    It says so for files of our own, or of anybody if we are root, on a file system of this machine.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        # A lease is refused while there are writers. Given back at once; one who opens the file just now waits for
        # that, and the signal that we are sent then must not be SIGIO, which would end this process.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(file)
    return False


def is_remote(folder: Path, mounts: Path = _MOUNTS) -> bool:
    """Tell whether a folder is on a network file system, or one that a program provides; `mounts` is a mountinfo.

    Format: https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
    """
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return True
    depth, kind = -1, ""
    for line in lines:
        before, _, after = line.partition(" - ")
        point = Path(_unescaped(before.split(" ")[4]))
        # Of two mounts on one point the later one is seen.
        if len(point.parts) >= depth and folder.resolve().is_relative_to(point):
            depth, kind = len(point.parts), after.split(" ")[0]
    return kind.startswith(_NETWORKS + _PROGRAMS)


def _unescaped(text: str) -> str:
    for code, letter in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, letter)
    return text
