"""Named collections: each is an index in a folder of its own under the user's data directory."""

from __future__ import annotations

import os
import re
from pathlib import Path

from index.database import FILE_NAME
from index.errors import StoreError

__all__ = ["DEFAULT", "collection_folder", "collection_names", "data_folder"]

DEFAULT = "default"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def data_folder() -> Path:
    """Where indexes are kept: `qa` in $XDG_DATA_HOME, else in ~/.local/share."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "qa"


def collection_folder(name: str | Path) -> Path:
    """The index folder of a collection: a name stands for a folder in the data directory, a path for itself.

    What holds a path separator, or begins with a dot or a tilde, is a path.

    Raises:
        StoreError: it is neither.
    """
    text = str(name)
    if isinstance(name, Path) or "/" in text or os.sep in text or text.startswith((".", "~")):
        return Path(text).expanduser()
    if not _NAME.fullmatch(text) or text == DEFAULT:
        raise StoreError(
            f"{text!r} cannot name a collection: use 1 to 64 letters, digits, - and _, the first one a letter "
            f"or digit, and not {DEFAULT!r}; a path has a / in it"
        )
    return data_folder() / "collections" / text


def collection_names() -> list[str]:
    """Names of the collections there are, sorted; the default one is not among them."""
    folder = data_folder() / "collections"
    if not folder.is_dir():
        return []
    return sorted(entry.name for entry in folder.iterdir() if (entry / FILE_NAME).is_file())
