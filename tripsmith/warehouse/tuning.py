"""Settings of the embedded PostgreSQL, worked out from the machine that it runs on."""

import os
from pathlib import Path

import psutil

KB, MB, GB = 1 << 10, 1 << 20, 1 << 30
_CGROUPS = Path("/sys/fs/cgroup")


def memory_bytes() -> int:
    """Return the memory that this process may use: the machine's, or less where a cgroup (v1 or v2) limits it."""
    total = int(psutil.virtual_memory().total)
    try:
        memberships = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return total
    limits = [total]
    for line in memberships:
        _, controllers, group = line.split(":", 2)
        if controllers == "":
            top, name = _CGROUPS, "memory.max"
        elif "memory" in controllers.split(","):
            top, name = _CGROUPS / "memory", "memory.limit_in_bytes"
        else:
            continue
        folder = top / group.lstrip("/")
        # Every group up to the top may set its own limit; inside a container only the top may be there.
        for place in (folder, *(p for p in folder.parents if p.is_relative_to(top))):
            try:
                limits.append(int((place / name).read_text()))
            except (OSError, ValueError):  # no such file, or the word "max"
                continue
    return min(limits)


def core_count() -> int:
    """Return the number of cores that this process may run on, at least 1."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def server_settings(memory: int, cores: int, disk_free: int, shm_free: int, build_options: str) -> dict[str, str]:
    """Return PostgreSQL settings, name to value, for a machine.

    `memory`, `disk_free` (where the data lies) and `shm_free` (/dev/shm) are in bytes; `build_options` is what
    `pg_config --configure` prints, which tells the compressions and the JIT that this PostgreSQL was built with.
    """
    max_wal = _clamp(disk_free // 8, 256 * MB, 8 * GB)
    maintenance = _clamp(memory // 16, 64 * MB, 2 * GB)
    helpers = max(0, cores - 1)
    return {
        # Reached through a socket in a closed folder, by password; nothing listens on the network.
        "listen_addresses": "",
        "port": "5432",
        "unix_socket_permissions": "0700",
        "password_encryption": "scram-sha-256",
        "max_connections": "100",
        "max_locks_per_transaction": "512",
        # Far less than the usual quarter: loading reads each page once, soon after it was written. A large pool is
        # walked through for that from end to end, and no cache of the processor holds it; answers read as fast from
        # the system's.
        "shared_buffers": _size(_clamp(memory // 64, 128 * MB, 2 * GB)),
        "effective_cache_size": _size(memory * 3 // 5),
        "work_mem": _size(_clamp(memory // 128, 8 * MB, 256 * MB)),
        "maintenance_work_mem": _size(maintenance),
        "autovacuum_work_mem": _size(max(maintenance // 4, 32 * MB)),
        # A container often has 64 MB of /dev/shm, too little for parallel hash joins.
        "dynamic_shared_memory_type": "posix" if shm_free >= GB else "sysv",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        # No replica: a table filled in the transaction that made it needs no WAL.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "wal_buffers": _size(64 * MB if memory >= 4 * GB else 16 * MB),
        "wal_compression": "lz4" if "--with-lz4" in build_options else "off",
        "max_wal_size": _size(max_wal),
        "min_wal_size": _size(_clamp(max_wal // 4, 80 * MB, GB)),
        "checkpoint_timeout": "30min",
        "max_worker_processes": str(cores + 8),
        "max_parallel_workers": str(cores),
        "max_parallel_workers_per_gather": str(min(helpers, 8)),
        "max_parallel_maintenance_workers": str(min(helpers, 4)),
        "random_page_cost": "1.1",
        # What is read was mostly just written, and is in the system's cache: a worker that fetches it is a detour.
        "io_method": "sync",
        # Short queries lose more to compiling than they win, even where LLVM is there.
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] ",
    }


def _clamp(value: int, low: int, high: int) -> int:
    return max(low, min(value, high))


def _size(value: int) -> str:
    return f"{value // KB}kB"
