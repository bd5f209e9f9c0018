"""One small reader per file format: the bytes of a file in, its text with sections out.

`sniff` tells what a file is, `worker` runs the readers in a process of their own, `guard` is that process seen from
here. Parsers are imported inside the readers only.
"""

from __future__ import annotations
