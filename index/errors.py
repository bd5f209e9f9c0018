"""What can go wrong below the answers, in one hierarchy.

IndexingError                base of everything raised here; catch it to catch them all
├── DocumentError            one file cannot be read as a document; names the file and the reason
├── StoreError               the index file is missing, damaged or not ours; says how to mend it
│   ├── EncoderMismatchError the index was built with another encoder than the one given
│   ├── OutdatedError        a read began before a write that has finished since; begin it again
│   └── StoreWriteError      the folder or disk cannot be written
└── ModelError               model weights or tokenizer are missing, truncated or altered
"""

from __future__ import annotations

__all__ = [
    "DocumentError",
    "EncoderMismatchError",
    "IndexingError",
    "ModelError",
    "OutdatedError",
    "StoreError",
    "StoreWriteError",
]


class IndexingError(Exception):
    """Base of all errors of the `index` package."""


class DocumentError(IndexingError):
    """One file cannot be read as a document."""


class StoreError(IndexingError):
    """The index cannot be opened or written."""


class EncoderMismatchError(StoreError):
    """The index holds vectors of another encoder."""


class OutdatedError(StoreError):
    """What is being read was overtaken by a write; reading again helps."""


class StoreWriteError(StoreError):
    """The index cannot be written where it is: no permission, a read-only or full disk."""


class ModelError(IndexingError):
    """A model file is missing, truncated or altered."""
