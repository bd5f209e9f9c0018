"""One small program per peer, run in that peer's own environment; they speak the lines that `wire` describes."""
