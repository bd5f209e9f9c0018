"""Check written articles against the brief: every answer an exact, unambiguous span of its text.

Usage: python -m training.check_articles FILE.jsonl [FILE.jsonl ...]   (or run this file directly)

Each line is one article: {"title", "text", "qas": [{"q", "a", "near"?, "kind", "style"}],
"dialogues": [{"history": [{"q", "a"}], "q", "resolved", "a"}]}. Prints one line per
problem and exits 1 if there was any.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

KINDS = {"who", "what", "when", "where", "howmany", "why", "how", "list", "which", "define", "none"}
STYLES = {"plain", "casual", "typo", "keyword", "indirect", "paraphrase"}
BANNED = re.compile(
    r"all the light we cannot see|anthony doerr|shawn levy|aria mia loberti|louis hofmann|werner pfennig", re.I
)


def article_problems(article: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for every way in which `article` breaks the brief."""
    text, title = article.get("text"), article.get("title")
    if not isinstance(text, str) or not isinstance(title, str) or not title:
        yield "title and text must be strings"
        return
    words = len(text.split())
    if not 110 <= words <= 430:
        yield f"text has {words} words, wanted 120 to 420"
    if BANNED.search(json.dumps(article, ensure_ascii=False)):
        yield "mentions the evaluation article's series"
    qas = article.get("qas", [])
    if len(qas) != 14:
        yield f"{len(qas)} questions, wanted 14"
    nothing = sum(qa.get("a") is None for qa in qas)
    if not 4 <= nothing <= 7:
        yield f"{nothing} unanswerable questions, wanted 4 to 7"
    questions = [str(qa.get("q", "")).strip().lower() for qa in qas]
    if len(set(questions)) != len(questions):
        yield "the same question twice"
    for qa in qas:
        yield from qa_problems(text, qa)
    for dialogue in article.get("dialogues", []):
        if not dialogue.get("history") or not dialogue.get("q") or not dialogue.get("resolved"):
            yield f"dialogue {dialogue.get('q')!r}: history, q and resolved are needed"
        if dialogue.get("a") is not None and dialogue["a"] not in text:
            yield f"dialogue {dialogue.get('q')!r}: answer {dialogue['a']!r} is not in the text"
    if len(article.get("dialogues", [])) != 2:
        yield "wanted 2 dialogues"


def qa_problems(text: str, qa: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for every way in which one question is off."""
    question, answer, near = qa.get("q"), qa.get("a"), qa.get("near")
    if not isinstance(question, str) or not question.strip():
        yield "a question is empty"
        return
    if qa.get("kind") not in KINDS or qa.get("style") not in STYLES:
        yield f"{question!r}: unknown kind {qa.get('kind')!r} or style {qa.get('style')!r}"
    if (answer is None) != (qa.get("kind") == "none"):
        yield f"{question!r}: kind none goes with answer null, and only with it"
    if answer is None:
        return
    if not isinstance(answer, str) or answer != answer.strip() or answer not in text:
        yield f"{question!r}: answer {answer!r} is not an exact substring"
    elif len(answer.split()) > 30:
        yield f"{question!r}: answer of {len(answer.split())} words, too long"
    elif text.count(answer) > 1 and (not near or text.count(near) != 1 or answer not in near):
        yield f"{question!r}: answer {answer!r} stands {text.count(answer)} times; `near` must stand once and hold it"


def main(paths: list[str]) -> int:
    """Check every file; print the problems; 0 when there are none."""
    problems = articles = 0
    for path in paths:
        for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), start=1):
            articles += 1
            try:
                found = list(article_problems(json.loads(line)))
            except json.JSONDecodeError as error:
                found = [f"not JSON: {error}"]
            for problem in found:
                problems += 1
                print(f"{path}:{number}: {problem}")
    print(f"{articles} articles, {problems} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
