# SPDX-License-Identifier: Apache-2.0
"""Numerics: arrays in, arrays out; the engine knows no medicine, no dates and no files.

Importing it, before anything imports numba, settles where compiled kernels are kept: a folder of the user's
own, named by the content of every kernel file. Two reasons:

- numba keys a cached kernel on the text of its own file only, so a kernel that calls another file's kernel
  would go on running the old one after an edit or an upgrade;
- where neither the package's folder nor the home folder can be written (service accounts), numba refuses to
  import a cached kernel at all.

An environment variable NUMBA_CACHE_DIR that is already set is left alone.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path

__all__: list[str] = []

_KERNEL_ROOMS = ("engine", "engine/simd", "models", "dosing")
"""Rooms whose kernels call each other across files; elsewhere a kernel's file is complete in itself (tested)."""


def _content_key(package: Path) -> str:
    """Hash every file that may hold a kernel, names included."""
    digest = hashlib.blake2b(digest_size=8)
    for room in _KERNEL_ROOMS:
        folder = package / room
        if folder.is_dir():
            for name in sorted(name for name in os.listdir(folder) if name.endswith(".py")):
                digest.update(name.encode())
                with open(f"{folder}{os.sep}{name}", "rb", buffering=0) as file:
                    digest.update(file.read())
    return digest.hexdigest()


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "sirolens"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "sirolens"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sirolens"


def _own_folder(path: Path) -> bool:
    """Make a folder only its user can write; False where that is impossible.

    Compiled kernels are code: a folder that somebody else owns is never used.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if hasattr(os, "getuid") and path.stat().st_uid != os.getuid():
            return False
    except OSError:
        return False
    return os.access(path, os.W_OK | os.X_OK)


def _kernel_cache() -> str:
    key = f"kernels-{_content_key(Path(__file__).parent.parent)}"
    try:
        if _own_folder(folder := _user_cache() / key):
            return str(folder)
    except RuntimeError:  # no home folder at all
        pass
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    if _own_folder(folder := Path(tempfile.gettempdir()) / f"sirolens-{owner}" / key):
        return str(folder)
    return tempfile.mkdtemp(prefix="sirolens-")


if "NUMBA_CACHE_DIR" not in os.environ:
    os.environ["NUMBA_CACHE_DIR"] = _kernel_cache()
    if "numba" in sys.modules:  # somebody imported it first: it has read the environment already
        config = sys.modules["numba"].config
        config.CACHE_DIR = config.CACHE_DIR or os.environ["NUMBA_CACHE_DIR"]
