"""Documents in, ranked passages out. Knows nothing of answers."""

from __future__ import annotations

from index.build import BuildReport, add_document, add_files, build_folder, plan_files
from index.documents import read_document
from index.encoder import OnnxEncoder, SentenceTransformerEncoder
from index.errors import DocumentError, EncoderMismatchError, IndexingError, ModelError, StoreError
from index.handle import Index
from index.passages import split_passages
from index.plan import Plan
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
    "Index",
    "IndexingError",
    "ModelError",
    "OnnxEncoder",
    "Passage",
    "Plan",
    "Section",
    "SentenceTransformerEncoder",
    "SqliteStore",
    "Store",
    "StoreError",
    "add_document",
    "add_files",
    "build_folder",
    "plan_files",
    "read_document",
    "search",
    "split_passages",
]
