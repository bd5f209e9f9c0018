"""The way each kind of question takes from what was found to its answer."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from qa.kinds.central import summarised
from qa.kinds.definitions import defined
from qa.kinds.detect import Kind
from qa.kinds.lists import listed
from qa.kinds.plot import told
from qa.kinds.yesno import decided
from qa.reading import Found
from qa.types import Answer

if TYPE_CHECKING:
    from qa.pipeline import Answerer

__all__ = ["routed"]

_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand)\b", re.IGNORECASE
)


def routed(answerer: Answerer, kind: Kind, found: Found, plain: Answer, said: Sequence[str] = ()) -> Answer:
    """The answer to a question of some kind; `plain` is what it gets as a plain question.

    Args:
        said: answers of earlier turns, the latest last.
    """
    if kind.name == "list":
        return listed(answerer, kind, found, plain, said)
    if kind.name == "count":
        return _counted(answerer, kind, plain)
    if kind.name == "yesno":
        return decided(answerer, found.read_as, found, plain)
    if kind.name == "definition" and kind.subject is not None:
        return defined(answerer, kind.subject, found, plain)
    if kind.name == "about":
        work = told(answerer, kind.subject, found, plain)
        if work is not None or plain.text is not None:
            return work or plain
    if kind.name in {"about", "summary"}:
        return summarised(answerer.store, answerer.encoder, answerer.reader, kind.subject, found.hits, plain, kind.name)
    return plain


def _counted(answerer: Answerer, kind: Kind, plain: Answer) -> Answer:
    """The list that is to be counted, where the documents give no number themselves."""
    if kind.reworded is None or (plain.text is not None and _NUMBER.search(plain.text)):
        return plain
    found = answerer.find(kind.reworded)
    named = answerer.decide(plain.question, found.read_as, found.hits, found.judged)
    counted = listed(answerer, Kind("list", explicit=True), found, named)
    if not counted.items:
        return plain
    note = f"Counted in the list: {len(counted.items)}."
    return dataclasses.replace(counted, read_as=plain.read_as, kind="count", note=note)
