"""Kinds of question that want more than one short span: each recognised by its words, each answered by quotes."""

from __future__ import annotations

from qa.kinds.detect import Kind, kind_of

__all__ = ["Kind", "kind_of"]
