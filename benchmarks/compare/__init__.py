"""Cold start, latency, throughput, memory and size of this app and its peers, side by side: `make compare`.

Every number is taken in rounds, one after the other from each peer, so that what disturbs a round disturbs all in it.
What counts are the ratios to the peer in the same round that `catalog.FLOORS` names. docs/performance.md has more.
"""
