"""Following a folder: when something in it has changed and has come to rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from index.ignore import IGNORE_FILES

__all__ = ["follow"]

_REST_MS = 800  # changes that follow one another faster than this are taken together
_LONGEST_MS = 5000  # but not for longer than this
_FIRST_MS = 1000


def follow(folder: Path) -> Iterator[int]:
    """Yield the number of paths changed under `folder`, once at a time when changes come to rest; ends on Ctrl-C.

    The first time comes within a second in any case: what changed just before the watch began is not seen by it.
    Hidden files are passed over, but for ignore files.
    """
    from watchfiles import Change, watch

    root = folder.resolve()

    def counts(_: Change, path: str) -> bool:
        try:
            parts = Path(path).relative_to(root).parts
        except ValueError:
            return False
        return all(not part.startswith(".") for part in parts[:-1]) and (
            not parts or not parts[-1].startswith(".") or parts[-1] in IGNORE_FILES
        )

    first = True
    for changes in watch(
        root,
        watch_filter=counts,
        debounce=_LONGEST_MS,
        step=_REST_MS,
        rust_timeout=_FIRST_MS,
        yield_on_timeout=True,
        raise_interrupt=True,
    ):
        if changes or first:
            yield len(changes)
        first = False
