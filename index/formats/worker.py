"""The process in which parsers run: asked on standard input, answering on standard output, a line of JSON each.

Parsers are given other people's files. One that crashes, hangs, fills the memory or prints takes this process with
it and nothing else.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from index.errors import DocumentError
from index.formats.characters import one_line
from index.formats.extract import Extract
from index.formats.readers import run_reader

__all__ = ["answer", "serve"]


DEPTH = 5000  # of Python's calls: two for each element within another


def serve(seconds: int, memory: int) -> None:
    """Answer requests until standard input ends.

    Args:
        seconds: after which the system ends the process when one file takes longer.
        memory: bytes of address space the process may use, where the system can limit that.
    """
    replies = os.fdopen(os.dup(1), "w", encoding="ascii")
    requests = os.fdopen(os.dup(0), encoding="ascii")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):  # whatever a parser or its C library prints, nobody asked for
        os.dup2(nowhere, descriptor)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process
    _limit(memory)
    sys.setrecursionlimit(DEPTH)
    for line in requests:
        if hasattr(signal, "alarm"):
            # beside the parent's own clock: a parser must not go on for ever when the parent was killed
            signal.alarm(seconds + 5)
        request = json.loads(line)
        reply = answer(request["kind"], Path(os.fsdecode(bytes.fromhex(request["path"]))))
        if hasattr(signal, "alarm"):
            signal.alarm(0)
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


def _limit(memory: int) -> None:
    if sys.platform == "win32":
        return
    import resource

    try:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ValueError, OSError):
        pass  # macOS has no such limit; the clock still bounds a parser


def answer(kind: str, path: Path) -> dict[str, Any]:
    """What reading gave: a document's fields, or the reason why there is none."""
    try:
        extract = run_reader(kind, path)
    except DocumentError as error:
        return {"error": one_line(str(error))}  # names of an archive's parts may hold anything
    except MemoryError:
        return {"error": "memory"}
    except RecursionError:
        return {"error": "is nested too deeply; open it in its program and save it as text"}
    except OSError as error:
        return {"error": f"cannot be read ({error.strerror or error})"}
    except ImportError as error:
        return {"error": f"cannot be read: its parser is not installed ({error}); install this package again"}
    except Exception as error:  # a parser's own bug must not stop the other files
        reason = f"{type(error).__name__}: {one_line(str(error))[:200]}"
        return {"error": f"its {kind} parser failed ({reason}); export it again or save it as text"}
    return _as_json(extract)


def _as_json(extract: Extract) -> dict[str, Any]:
    return {
        "text": extract.text,
        "sections": [[section.start, section.label] for section in extract.sections],
        "title": extract.title,
        "author": extract.author,
        "date": extract.date,
    }
