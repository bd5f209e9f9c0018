"""An approximate index for many vectors: inverted lists (IVF) of vectors scaled to one byte per number.

How many lists a search visits is not guessed but measured when the lists are made: twice as many as find `TARGET` of
what an exact search finds, since real questions are less like the passages than the queries measured with.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from index.rows import Vectors

if TYPE_CHECKING:
    import faiss

__all__ = ["TARGET", "Approximate", "Stopped", "candidates_for", "extend", "train"]

TARGET = 0.985  # measured recall@10; users are promised 0.97
_PER_LIST = 40  # vectors to train each list on
_ROUNDS = 8
_QUERIES = 256
_DEPTH = 10
_FEWEST_LISTS = 64
_STEP = 1.4  # between two numbers of lists tried


class Stopped(Exception):
    """The work was asked to stop."""


@dataclass(frozen=True, slots=True)
class Approximate:
    """An approximate index over the passages with ids up to `last_id`, as they were at `generation`.

    `faiss` is an `IndexIVFScalarQuantizer` keyed by passage id, never changed once it is here; `visited` is the number
    of lists a search visits, `recall` what was measured with half of them, `trained_on` how many rows there were then.
    """

    faiss: faiss.IndexIVFScalarQuantizer
    identity: str
    generation: int
    last_id: int
    trained_on: int
    visited: int
    recall: float

    @property
    def rows(self) -> int:
        """Number of vectors held."""
        return int(self.faiss.ntotal)

    def search(self, query: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None, share: float) -> list[int]:
        """Ids of about the k nearest, of those that are `allowed` (by id; None for all).

        `share` in (0, 1] is the part of the rows that is allowed: the fewer, the more lists are visited.
        """
        import faiss

        visited = min(self.faiss.nlist, round(self.visited / share))
        bits = None if allowed is None else np.packbits(allowed, bitorder="little")
        selector = None if bits is None else faiss.IDSelectorBitmap(bits)
        parameters = faiss.SearchParametersIVF(nprobe=visited, sel=selector)
        _, ids = self.faiss.search(np.ascontiguousarray(query[None], dtype=np.float32), k, params=parameters)
        return [int(identifier) for identifier in ids[0] if identifier >= 0]

    def ids(self) -> NDArray[np.int64]:
        """All ids held, in ascending order."""
        import faiss

        lists = self.faiss.invlists
        parts = [
            faiss.rev_swig_ptr(lists.get_ids(number), lists.list_size(number)).copy()
            for number in range(lists.nlist)
            if lists.list_size(number)
        ]
        return np.sort(np.concatenate(parts)) if parts else np.empty(0, np.int64)


def train(
    sample: NDArray[np.float32],
    chunks: Iterable[Vectors],
    rows: int,
    *,
    identity: str,
    generation: int,
    last_id: int,
    go_on: Callable[[], bool] = lambda: True,
) -> Approximate:
    """Make the lists from `sample`, fill them from `chunks` (about `rows` vectors), measure how many to visit.

    Raises:
        Stopped: `go_on` said no.
    """
    import faiss

    faiss.omp_set_num_threads(1)
    dimension = sample.shape[1]
    if not len(sample):  # all removed meanwhile
        sample = np.zeros((1, dimension), np.float32)
    lists = min(list_count(rows), len(sample))
    quantizer = faiss.IndexFlatIP(dimension)
    quantizer.add(_centroids(sample, lists, go_on))
    kind = faiss.ScalarQuantizer.QT_8bit
    ivf = faiss.IndexIVFScalarQuantizer(quantizer, dimension, lists, kind, faiss.METRIC_INNER_PRODUCT)
    ivf.train(sample)
    truth = _Truth(_queries(sample))
    for ids, vectors in chunks:
        _check(go_on)
        ivf.add_with_ids(vectors, ids)
        truth.see(ids, vectors)
    visited, recall = _visits(ivf, truth)
    return Approximate(ivf, identity, generation, last_id, int(ivf.ntotal), visited, recall)


def extend(
    old: Approximate,
    chunks: Iterable[Vectors],
    removed: NDArray[np.int64],
    *,
    generation: int,
    last_id: int,
    go_on: Callable[[], bool] = lambda: True,
) -> Approximate:
    """A copy of `old` without the ids `removed` and with the vectors of `chunks`, the lists being what they were."""
    import faiss

    faiss.omp_set_num_threads(1)
    ivf: Any = faiss.clone_index(old.faiss)
    if len(removed):
        ivf.remove_ids(removed)
    for ids, vectors in chunks:
        _check(go_on)
        ivf.add_with_ids(vectors, ids)
    return replace(old, faiss=ivf, generation=generation, last_id=last_id)


def candidates_for(k: int) -> int:
    """How many to read for k wanted, to be put in order by their exact vectors."""
    return 2 * k + 20


def list_count(rows: int) -> int:
    """How many lists for so many rows: a power of two near twice the square root."""
    return max(_FEWEST_LISTS, int(2 ** round(math.log2(max(1.0, 1.8 * math.sqrt(rows))))))


def sample_size(rows: int) -> int:
    """How many vectors to train on."""
    return _PER_LIST * list_count(rows)


def _check(go_on: Callable[[], bool]) -> None:
    if not go_on():
        raise Stopped


def _centroids(sample: NDArray[np.float32], lists: int, go_on: Callable[[], bool]) -> NDArray[np.float32]:
    import faiss

    centroids: NDArray[np.float32] | None = None
    for _ in range(_ROUNDS):
        _check(go_on)
        means = faiss.Kmeans(
            sample.shape[1],
            lists,
            niter=1,
            spherical=True,
            seed=1,
            min_points_per_centroid=1,
            max_points_per_centroid=len(sample),
        )
        means.train(sample, init_centroids=centroids)
        centroids = means.centroids
    if centroids is None:
        raise Stopped
    return centroids


def _queries(sample: NDArray[np.float32]) -> NDArray[np.float32]:
    import faiss

    # a question lies between passages on its topic, on none of them, and partly off in an unrelated direction
    random = np.random.default_rng(1)
    chosen, one, other = (sample[random.integers(0, len(sample), _QUERIES)] for _ in range(3))
    among = min(_DEPTH, len(sample))
    _, places = faiss.knn(chosen, sample, among, metric=faiss.METRIC_INNER_PRODUCT)
    beside = sample[places[np.arange(_QUERIES), random.integers(0, among, _QUERIES)]]
    off = one - other
    off /= np.maximum(np.linalg.norm(off, axis=1, keepdims=True), 1e-9)
    mixed = chosen + beside + 1.6 * off
    norms = np.linalg.norm(mixed, axis=1, keepdims=True)
    return np.ascontiguousarray(mixed / np.maximum(norms, 1e-9), dtype=np.float32)


class _Truth:
    """The exact nearest rows of some queries, found while the rows pass by."""

    def __init__(self, queries: NDArray[np.float32]) -> None:
        self.queries = queries
        self.scores = np.full((len(queries), _DEPTH), -np.inf, np.float32)
        self.ids = np.full((len(queries), _DEPTH), -1, np.int64)

    def see(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        import faiss

        depth = min(_DEPTH, len(ids))
        scores, places = faiss.knn(self.queries, vectors, depth, metric=faiss.METRIC_INNER_PRODUCT)
        scores = np.concatenate([self.scores, scores], axis=1)
        found = np.concatenate([self.ids, ids[places]], axis=1)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :_DEPTH]
        self.scores, self.ids = np.take_along_axis(scores, best, 1), np.take_along_axis(found, best, 1)


def _visits(ivf: faiss.IndexIVFScalarQuantizer, truth: _Truth) -> tuple[int, float]:
    import faiss

    visited, recall = 2, 0.0
    while recall < TARGET and visited < ivf.nlist:
        visited = min(math.ceil(_STEP * visited), ivf.nlist)
        parameters = faiss.SearchParametersIVF(nprobe=visited)
        _, found = ivf.search(truth.queries, candidates_for(_DEPTH), params=parameters)
        hits = [len(set(a.tolist()) & set(b.tolist())) for a, b in zip(found, truth.ids, strict=True)]
        recall = float(np.mean(hits)) / min(_DEPTH, max(1, int(ivf.ntotal)))
    return min(2 * visited, ivf.nlist), recall
