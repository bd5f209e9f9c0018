"""DOCX and EPUB are ZIP archives: their parts, never more of them than is safe to hold."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import DocumentError
from index.formats.limits import MAX_UNPACKED_BYTES

if TYPE_CHECKING:
    from lxml.etree import _Element

__all__ = ["Archive", "open_archive", "parse_xml"]


class Archive:
    """Reads the parts of an open ZIP file; all of them together unpack to at most MAX_UNPACKED_BYTES."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        self._left = MAX_UNPACKED_BYTES
        self.names = frozenset(file.namelist())

    def read(self, name: str) -> bytes:
        """One part. What the archive says of its size is not believed: reading stops at the limit.

        Raises:
            DocumentError: there is no such part, it is damaged, encrypted, or too large.
        """
        try:
            with self._file.open(name) as part:
                raw = part.read(self._left + 1)
        except KeyError as error:
            raise DocumentError(f"is damaged: its part {name} is missing; export it again") from error
        except RuntimeError as error:  # what zipfile raises for a part that needs a password
            raise DocumentError("is encrypted; save it without a password") from error
        except MemoryError:
            raise
        except Exception as error:  # the decompressors each have their own
            raise DocumentError(f"is damaged: its part {name} cannot be unpacked; export it again") from error
        self._left -= len(raw)
        if self._left < 0:
            raise DocumentError(
                f"unpacks to more than {MAX_UNPACKED_BYTES / 1e6:.0f} MB, as a zip bomb would; split the file"
            )
        return raw


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """The archive at `path`, open.

    Raises:
        DocumentError: it is not a ZIP file, or its directory is damaged.
    """
    try:
        file = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise DocumentError("is damaged: it is cut off or not a ZIP archive; copy or export it again") from error
    with file:
        yield Archive(file)


def parse_xml(raw: bytes, part: str) -> _Element:
    """The root of an XML part. Entities are not expanded, nothing outside is loaded.

    Raises:
        DocumentError: it is not XML, even when errors are passed over.
    """
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True, huge_tree=False)
    try:
        root = etree.fromstring(raw, parser)
    except etree.XMLSyntaxError as error:
        raise DocumentError(f"is damaged: its part {part} is not XML; export it again") from error
    if root is None:
        raise DocumentError(f"is damaged: its part {part} is empty; export it again")
    return root
