"""Where a benchmark keeps its databases, keys and logs while it runs."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def working_folder(name: str, *, keep: bool = False) -> Iterator[Path]:
    """A fresh folder, removed at the end however that comes; with ``keep`` it stays, and is told on standard error."""
    folder = Path(tempfile.mkdtemp(prefix=f"lianban-{name}-"))
    try:
        yield folder
    finally:
        if keep:
            print(folder, file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
