"""An integrity check of a whole index."""

from __future__ import annotations

import numpy as np

from index.database import Database
from index.dense import DenseIndex
from index.errors import OutdatedError, StoreError

__all__ = ["problems_of"]

_TRIES = 100


def problems_of(database: Database, dense: DenseIndex, dimension: int) -> list[str]:
    """What is wrong, one sentence each; empty for an index that is whole."""
    found = [f"SQLite: {row[0]}" for row in database.rows("PRAGMA integrity_check") if row[0] != "ok"]
    if database.writable:
        try:
            with database.writing() as writer:
                writer.execute("INSERT INTO lexicon (lexicon, rank) VALUES ('integrity-check', 1)")
        except StoreError as error:
            found.append(f"lexical index: {error}")
    with database.snapshot():
        found += _rows_that_disagree(database, dimension)
    found += _dense_that_disagrees(database, dense)
    if dense.upkeep.failure is not None:
        found.append(f"the dense index could not be made: {dense.upkeep.failure}")
    return found


def _rows_that_disagree(database: Database, dimension: int) -> list[str]:
    orphans = database.rows("SELECT rowid FROM pragma_foreign_key_check")
    found = [f"passage {row[0]} has no document" for row in orphans]
    passages = database.each(
        'SELECT p.id, substr(d.text, p.start + 1, p."end" - p.start) = p.text, length(v.vector) '
        "FROM documents d JOIN passages p ON p.document_id = d.id LEFT JOIN vectors v ON v.id = p.id"
    )
    total = 0
    for identifier, same, size in passages:
        total += 1
        if not same:
            found.append(f"passage {identifier} is not the text at its place")
        if size != 4 * dimension:
            found.append(f"passage {identifier} has a vector of {size or 0} bytes")
    if int(database.meta("passages")) != total:
        found.append(f"{total} passages are there, {database.meta('passages')} should be")
    wrong = database.rows(
        "SELECT d.name, d.passages, count(p.id) FROM documents d LEFT JOIN passages p ON p.document_id = d.id "
        "AND p.id BETWEEN d.first AND d.first + d.passages - 1 GROUP BY d.id HAVING count(p.id) <> d.passages"
    )
    return found + [f"{name} has {there} passages of {wanted}" for name, wanted, there in wrong]


def _dense_that_disagrees(database: Database, dense: DenseIndex) -> list[str]:
    for _ in range(_TRIES):
        try:
            with database.snapshot():
                held = dense.ids()
                stored = np.array(database.rows("SELECT id FROM passages ORDER BY id"), np.int64).reshape(-1)
            break
        except OutdatedError:
            continue
        except StoreError as error:
            return [f"dense index: {error}"]
    else:
        return ["the index changes faster than it can be checked; try again"]
    missing, extra = np.setdiff1d(stored, held), np.setdiff1d(held, stored)
    found = [f"passage {identifier} is not in the dense index" for identifier in missing]
    return found + [f"the dense index holds passage {identifier}, which is not there" for identifier in extra]
