"""The same work on this product and on what one would otherwise take: see docs/peers.md."""
