"""The code of Lambda functions, unpacked once for all processes that run it.

An application's functions share one archive. The emulator would unpack it anew for every process it starts, which
takes as long as starting the process itself.
"""

import hashlib
import io
import shutil
import tempfile
import threading
import zipfile
from functools import lru_cache
from pathlib import Path

from ministack.services import lambda_svc

_root: Path | None = None
_lock = threading.Lock()


def install() -> None:
    """Measure each archive once: ministack reads its whole directory at every change of every function that shares it."""
    lambda_svc._unzipped_size = lru_cache(8)(lambda_svc._unzipped_size)


@lru_cache(8)
def unpacked(archive: bytes) -> Path:
    """Return the directory that holds the archive's files; nobody may write there.

    It is called for each process, under a lock that all functions share: hashing the archive each time would make them wait.
    """
    global _root
    with _lock:
        _root = _root or Path(tempfile.mkdtemp(prefix="emulator-code-"))
        directory = _root / hashlib.sha256(archive).hexdigest()[:16]
        if not directory.exists():
            with zipfile.ZipFile(io.BytesIO(archive)) as source:
                source.extractall(directory)
        return directory


def remove_all() -> None:
    """Remove every directory made; call it when no process uses them."""
    unpacked.cache_clear()
    if _root:
        shutil.rmtree(_root, ignore_errors=True)
