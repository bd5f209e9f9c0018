"""Documents in, ranked passages out. Knows nothing of answers."""

from __future__ import annotations

from index.build import BuildReport, add_document, build_folder
from index.documents import read_document
from index.encoder import OnnxEncoder, SentenceTransformerEncoder
from index.errors import DocumentError, EncoderMismatchError, IndexingError, ModelError, StoreError
from index.passages import split_passages
from index.search import search
from index.store import SqliteStore
from index.types import Document, Encoder, Entry, Filter, Hit, Passage, Section, Store

__all__ = [
    "BuildReport",
    "Document",
    "DocumentError",
    "Encoder",
    "EncoderMismatchError",
    "Entry",
    "Filter",
    "Hit",
    "IndexingError",
    "ModelError",
    "OnnxEncoder",
    "Passage",
    "Section",
    "SentenceTransformerEncoder",
    "SqliteStore",
    "Store",
    "StoreError",
    "add_document",
    "build_folder",
    "read_document",
    "search",
    "split_passages",
]
