"""Other people's ways to train, written anew from their published descriptions, to be measured beside ours.

No code of theirs is copied. Each file names its source and says where it departs from it. All run on the CPU in
float32, with channels-last memory, on the pictures and batches of `convoscope.data`.
"""

from __future__ import annotations

from benchmarks.peers.airbench import Airbench
from benchmarks.peers.mnist_example import MnistExample
from benchmarks.peers.peer import Peer

PEERS: dict[str, type[Peer]] = {"airbench94": Airbench, "mnist-example": MnistExample}
