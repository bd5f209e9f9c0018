"""Ignore files: which paths of a folder are passed over, in the syntax of .gitignore."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

__all__ = ["IGNORE_FILES", "Ignored"]

IGNORE_FILES = (".gitignore", ".qaignore")


class Ignored:
    """Tells what the .gitignore and .qaignore files of a folder, and of the folders in it, leave out.

    As in git, a rule of a deeper folder counts more than one above it, the last one that fits counts, and `!` takes
    back in. Within one folder .qaignore comes after .gitignore, so it can take back what git is not to see. What lies
    in an ignored folder cannot be taken back.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._specs: dict[Path, GitIgnoreSpec | None] = {}

    def __call__(self, path: Path, is_folder: bool) -> bool:
        """Whether `path`, which lies in the folder, is left out itself; folders above it are not asked about."""
        for parent in path.parents:
            spec = self._spec(parent)
            if spec is not None:
                relative = path.relative_to(parent).as_posix() + ("/" if is_folder else "")
                verdict = spec.check_file(relative).include
                if verdict is not None:
                    return verdict
            if parent == self._folder:
                break
        return False

    def covers(self, path: Path) -> bool:
        """Whether the file `path` or a folder that it lies in is left out. A path outside the folder never is."""
        if not path.is_relative_to(self._folder):
            return False
        above = [parent for parent in path.parents if parent != self._folder and parent.is_relative_to(self._folder)]
        return self(path, False) or any(self(parent, True) for parent in above)

    def _spec(self, folder: Path) -> GitIgnoreSpec | None:
        if folder not in self._specs:
            lines: list[str] = []
            for name in IGNORE_FILES:
                try:
                    lines += (folder / name).read_text(encoding="utf-8", errors="replace").splitlines()
                except OSError:  # not there, which is the rule, or not to be read
                    continue
            self._specs[folder] = _parsed(lines) if lines else None
        return self._specs[folder]


def _parsed(lines: list[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    good = []
    for line in lines:
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:  # no pattern of git's either: git passes it over too
            continue
        good.append(line)
    return GitIgnoreSpec.from_lines(good)
