"""Haystack: hybrid retrieval over the in-memory store, joined by reciprocal rank, then its extractive reader.

Haystack's reader sends no `token_type_ids`, so a BERT reader takes the passage for a part of the question. That is
mended here by default, from outside, for otherwise the comparison would be with a reader that is told less than it was
trained with; `HAYSTACK_AS_IT_IS=1` leaves it as it is.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from haystack import Document, Pipeline
from haystack.components.joiners import DocumentJoiner
from haystack.components.preprocessors import DocumentSplitter
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.document_stores.types import DuplicatePolicy
from haystack.utils import ComponentDevice
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)
from haystack_integrations.components.readers.transformers import TransformersExtractiveReader

from benchmarks.peers.drivers.wire import PASSAGE_OVERLAP, PASSAGE_WORDS, PASSAGES_READ, Reply, Settings, serve


class Haystack:
    def __init__(self, settings: Settings) -> None:
        torch.set_num_threads(settings.threads)
        cpu = ComponentDevice.from_str("cpu")
        self._embedder = SentenceTransformersDocumentEmbedder(
            model=settings.encoder, device=cpu, progress_bar=False, local_files_only=True
        )
        self._asker = SentenceTransformersTextEmbedder(
            model=settings.encoder, device=cpu, progress_bar=False, local_files_only=True
        )
        self._reader = TransformersExtractiveReader(model=settings.reader, device=cpu, token=None)
        self._reader.warm_up()
        if "HAYSTACK_AS_IT_IS" not in os.environ:
            self._reader.model.register_forward_pre_hook(tell_segments, with_kwargs=True)
        self._pipeline: Pipeline | None = None

    def build(self, documents: Sequence[dict[str, str]], folder: Path) -> int:
        store = InMemoryDocumentStore(embedding_similarity_function="cosine", shared=False)
        splitter = DocumentSplitter(split_by="word", split_length=PASSAGE_WORDS, split_overlap=PASSAGE_OVERLAP)
        whole = [Document(content=document["text"], meta={"name": document["name"]}) for document in documents]
        passages = splitter.run(documents=whole)["documents"]
        store.write_documents(self._embedder.run(documents=passages)["documents"], DuplicatePolicy.OVERWRITE)
        folder.mkdir(parents=True, exist_ok=True)
        store.save_to_disk(str(folder / "store.json"))
        self._ask_of(store)
        return store.count_documents()

    def open(self, folder: Path) -> None:
        self._ask_of(InMemoryDocumentStore.load_from_disk(str(folder / "store.json")))

    def _ask_of(self, store: InMemoryDocumentStore) -> None:
        if self._pipeline is not None:  # a component belongs to one pipeline for good
            for name in ("dense", "lexical"):
                self._pipeline.get_component(name).document_store = store
            return
        pipeline = Pipeline()
        pipeline.add_component("embedder", self._asker)
        pipeline.add_component("dense", InMemoryEmbeddingRetriever(store, top_k=PASSAGES_READ))
        pipeline.add_component("lexical", InMemoryBM25Retriever(store, top_k=PASSAGES_READ))
        pipeline.add_component("joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=PASSAGES_READ))
        pipeline.add_component("reader", self._reader)
        pipeline.connect("embedder.embedding", "dense.query_embedding")
        pipeline.connect("dense", "joiner")
        pipeline.connect("lexical", "joiner")
        pipeline.connect("joiner.documents", "reader.documents")
        self._pipeline = pipeline

    def ask(self, question: str) -> Reply:
        if self._pipeline is None:
            raise RuntimeError("nothing is open")
        asked = {"embedder": {"text": question}, "lexical": {"query": question}, "reader": {"query": question}}
        answers = self._pipeline.run(asked)["reader"]["answers"]
        best = next((answer for answer in answers if answer.data is not None), None)
        if best is None:
            return Reply(None)
        given = best.data if answers[0].data is not None else None  # the "no answer" of the reader may be the surest
        return Reply(given, best.document.meta["name"], best.score, best.data)


def tell_segments(_: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Give the model the segments that its tokenizer makes: 1 after the first [SEP], to the last one."""
    ids, mask = named["input_ids"], named["attention_mask"]
    separator = ids[0][mask[0].sum() - 1]
    ends = (ids == separator).long()
    segments = ((ends.cumsum(1) - ends) > 0).long() * mask
    return arguments, {**named, "token_type_ids": segments}


if __name__ == "__main__":
    serve(Haystack)
