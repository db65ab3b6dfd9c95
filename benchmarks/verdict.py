"""Who is ahead in what, in a few lines."""

from __future__ import annotations

import math
from typing import Any

Record = dict[str, Any]


def verdict(ours: list[Record], peers: list[Record]) -> list[str]:
    """A line for each of ours beside each peer, and a line for each figure in which ours is behind it."""
    lines = []
    for one in ours:
        for peer in peers:
            compared = _compared(one, peer)
            ahead = [words for better, words in compared if better]
            behind = [words for better, words in compared if better is False]
            level = [words for better, words in compared if better is None]
            lines.append(f"{one['data']}: {one['name']} beside {peer['name']}")
            lines += [
                f"  {head}: {'; '.join(words)}"
                for head, words in (("ahead", ahead), ("behind", behind), ("no clear difference", level))
                if words
            ]
    return lines


def _compared(one: Record, peer: Record) -> list[tuple[bool | None, str]]:
    found = []
    for key, words in (("error", "error"), ("error_tta", "error with the peer's test views")):
        if key in one and key in peer:
            clear = abs(one[key] - peer[key]) > 1.96 * math.hypot(_uncertain(one, key), _uncertain(peer, key))
            text = f"{words} {one[key]:.2%} to {peer[key]:.2%}"
            found.append((one[key] < peer[key] if clear else None, text))
    for key, words in (
        ("seconds", "seconds"),
        ("seconds_extrapolated", "seconds (extrapolated)"),
        ("train_flops", "FLOP"),
        ("train_flops_planned", "FLOP"),
        ("peak_memory_bytes", "memory"),
    ):
        if key in one and key in peer:
            found.append((one[key] < peer[key], f"{one[key] / peer[key]:.3g} times the {words}"))
    return found


def _uncertain(record: Record, key: str) -> float:
    """Standard error of a mean error: that of counting wrong test pictures, and that of the seeds."""
    seeds, share = len(record["seeds"]), record[key]
    # The seeds share their test pictures, so counting is no surer for there being several.
    counting = share * (1 - share) / record["test_count"]
    return math.sqrt(counting + record.get(f"{key}_std", 0.0) ** 2 / seeds)
