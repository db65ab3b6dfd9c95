"""The loops of Winograd's convolution, compiled; `convoscope.training.winograd` says what they compute.

Maps are (B, H, W, C), channels side by side in memory. A tile is a square of m by m pixels of the output, with the
square of the input that it needs; transformed it has n by n places. Each thread takes some images at a time through
all of it, so few that what is transformed stays in the processor's caches: it is never written to memory.

Numbers are in one array each, and functions are given its address and which number is the first. `size` stands for
(images together, rows, columns, channels of the inputs and of the outputs, m, n, tiles of an image).
"""

from __future__ import annotations

from functools import cache
from typing import Any

from numba import float32, int64
from numba.extending import register_jitable

from convoscope.training._lines import barrier, compiled, for_team, inlined, numbers_at, share, thread, threads
from convoscope.training._transforms import transform
from convoscope.training._vectors import LANES, ROWS, add_lanes, copy_lanes, moved, product

SQUARE = 81 * LANES
"""Numbers of the largest tile."""
BLOCK = 32
"""Tiles of which the near cache holds what is multiplied; twice as many, of a column of them."""


@register_jitable
def whole(channels: int) -> int:
    """Channels with room for whole vectors."""
    return (channels + LANES - 1) // LANES * LANES


@register_jitable
def _line(channels: int) -> int:
    """Numbers from a transformed tile to the next: not a power of two, of which a near cache holds few."""
    vectors = whole(channels) // LANES
    return (vectors + (vectors % 8 == 0)) * LANES


@register_jitable
def _rows(tiles: int) -> int:
    """Tiles with room for whole blocks of a product."""
    return (tiles + ROWS - 1) // ROWS * ROWS


@register_jitable
def room_for(many: int, tiles: int, channels: int) -> int:
    """Numbers of so many tiles, transformed to places, `many` to a side."""
    return many * many * _rows(tiles) * _line(channels)


@inlined
def _take(maps: Any, at: int, place: Any, wide: int, room: Any) -> None:
    """Copy channels of a tile's pixels from an image to `room`; beyond the image, and the channels, there are zeros.

    Args:
        maps: address of all images.
        at: which number of `maps` is the first of the image and the channels.
        place: rows, columns, channels of the image; where the tile begins in it, and its pixels to a side.
        wide: how many channels, mostly `LANES`.
        room: address.
    """
    height, width, channels, top, left, side = place
    for row in range(side):
        y = top + row
        for column in range(side):
            x, to = left + column, (row * side + column) * LANES
            taken = wide if 0 <= y < height and 0 <= x < width else 0
            start = at + (y * width + x) * channels
            if taken == LANES:
                copy_lanes(maps, start, room, to)
            else:
                for i in range(taken):
                    room[to + i] = maps[start + i]
                for i in range(taken, LANES):
                    room[to + i] = float32(0)


@inlined
def _add(room: Any, maps: Any, at: int, place: Any, wide: int) -> None:
    """Add a tile's pixels to channels of an image, as far as they lie within it; the arguments are those of `_take`."""
    height, width, channels, top, left, side = place
    for row in range(max(-top, 0), min(side, height - top)):
        for column in range(max(-left, 0), min(side, width - left)):
            start, to = (row * side + column) * LANES, at + ((top + row) * width + left + column) * channels
            if wide == LANES:
                add_lanes(room, start, maps, to)
            else:
                for i in range(wide):
                    maps[to + i] += room[start + i]


@inlined
def _into(which: int, room: Any, side: int, many: int, places: Any, to: int, step: int) -> None:
    """M d M^T of the pixels d of a tile (side, side, `LANES`), to its places, `step` numbers apart."""
    row = side * LANES
    for at in range(0, row, LANES):
        transform(which, (room, at, row), (room, SQUARE + at, row))
    for at in range(many):
        transform(which, (room, SQUARE + at * row, LANES), (places, to + at * many * step, step))


@inlined
def _out_of(which: int, places: Any, start: int, step: int, room: Any, side: int, many: int) -> None:
    """M t M^T of the places t of a tile, to its pixels; the arguments are those of `_into`."""
    row = side * LANES
    for at in range(many):
        transform(which, (places, start + at * many * step, step), (room, SQUARE + at * row, LANES))
    for at in range(0, row, LANES):
        transform(which, (room, SQUARE + at, row), (room, at, row))


@compiled
def _turn(
    outward: int, which: int, size: Any, maps: Any, channels: int, first: int, part: Any,
    margin: int, side: int, places: Any, room: Any,
) -> None:  # fmt: skip
    """Transform images: from maps to places (n², tiles, channels), or `outward`, from places to maps.

    The images are those from `part[0]` to `part[1]` of the ones that begin at number `first`; `margin` is by how many
    pixels a tile begins earlier, and `side` its pixels to a side.
    """
    together, height, width, _, _, outputs, many, tiles = size
    image, line = height * width * channels, _line(channels)
    step = _rows(together * tiles) * line
    to = part[0] * tiles * line
    for at in range((first + part[0]) * image, (first + part[1]) * image, image):
        if outward:
            for i in range(at, at + image):
                maps[i] = float32(0)
        for top in range(-margin, height - margin, outputs):
            for left in range(-margin, width - margin, outputs):
                place = (height, width, channels, top, left, side)
                for lane in range(0, channels, LANES):
                    wide = min(LANES, channels - lane)
                    if outward:
                        _out_of(which, places, to + lane, step, room, side, many)
                        _add(room, maps, at + lane, place, wide)
                    else:
                        _take(maps, at + lane, place, wide, room)
                        _into(which, room, side, many, places, to + lane, step)
                to += line


@compiled
def _multiply(size: Any, count: int, part: Any, places: Any, deep: int, by: Any, products: Any, wide: int) -> None:
    """For each of some places, the matrix (tiles, `deep`) times `by` (`deep`, `wide`), in columns of `LANES`."""
    together, _, _, _, _, _, _, tiles = size
    row, line, rows = _line(deep), _line(wide), _rows(together * tiles)
    panels = whole(wide) // LANES
    for place in range(part[0], part[1]):
        for first in range(0, count * tiles, BLOCK):
            for panel in range(panels):
                column = (place * panels + panel) * deep * LANES
                for tile in range(first, min(first + BLOCK, count * tiles), ROWS):
                    at, to = (place * rows + tile) * row, (place * rows + tile) * line + panel * LANES
                    product(deep, (places, at, row, 1), (by, column, LANES), (products, to, line), 0)


@compiled
def _add_up(size: Any, count: int, part: Any, before: Any, behind: Any, sums: Any) -> None:
    """For each of some places, the matrix (tiles, C) turned round, times the matrix (tiles, K), on to `sums` (C, K)."""
    together, _, _, channels, filters, _, _, tiles = size
    row, line, rows = _line(channels), _line(filters), _rows(together * tiles)
    stride = whole(filters)
    for place in range(part[0], part[1]):
        for first in range(0, count * tiles, 2 * BLOCK):
            deep, tile = min(2 * BLOCK, count * tiles - first), place * rows + first
            for panel in range(0, stride, LANES):
                for channel in range(0, channels, ROWS):
                    to = (place * whole(channels) + channel) * stride + panel
                    at, column = tile * row + channel, tile * line + panel
                    product(deep, (before, at, 1, row), (behind, column, line), (sums, to, stride), 1)


@inlined
def _sizes(table: Any) -> Any:
    """`size`; how many images there are, and whether all threads work on the same ones; transforms as from `KINDS`."""
    n = numbers_at(table[0], int64(0))
    tiles = ((n[1] + n[5] - 1) // n[5]) * ((n[2] + n[5] - 1) // n[5])
    return (n[0], n[1], n[2], n[3], n[4], n[5], n[6], tiles), n[7], n[8], (n[9], n[10], n[11], n[12])


@inlined
def _rooms(table: Any, at: int, size: Any, shared: int) -> Any:
    """Room for a tile, which is this thread's own, and for the places of inputs and of outputs."""
    together, _, _, channels, filters, _, many, tiles = size
    before, behind = room_for(many, together * tiles, channels), room_for(many, together * tiles, filters)
    first = threads() * 2 * SQUARE + (0 if shared else thread() * (before + behind))
    return moved(table[at], thread() * 2 * SQUARE), moved(table[at], first), moved(table[at], first + before)


@inlined
def _mine(count: int, shared: int) -> tuple[int, int]:
    """This thread's part of what all work on, or all of it."""
    return share(count) if shared else (0, count)


@inlined
def _wait(shared: int) -> None:
    if shared:
        barrier()


# Written out, as `for_team` wants them.
def _forward(table: Any) -> None:
    size, images, shared, kinds = _sizes(table)
    room, before, behind = _rooms(table, int64(4), size, shared)
    no, yes = int64(0), int64(1)  # as numbers of a type, not of a value, for which `_turn` would be compiled once more
    together, _, _, channels, filters, outputs, many, _ = size
    (first, last), places = _mine(images, 1 - shared), _mine(many * many, shared)
    for image in range(first, last, together):
        count = min(together, last - image)
        part = _mine(count, shared)
        _turn(no, kinds[0], size, table[1], channels, image, part, yes, many, before, room)
        _wait(shared)
        _multiply(size, count, places, before, channels, table[2], behind, filters)
        _wait(shared)
        _turn(yes, kinds[1], size, table[3], filters, image, part, no, outputs, behind, room)


def _backward(table: Any) -> None:
    size, images, shared, kinds = _sizes(table)
    room, before, behind = _rooms(table, int64(6), size, shared)
    no, yes = int64(0), int64(1)
    together, _, _, channels, filters, outputs, many, _ = size
    wanted = numbers_at(table[0], int64(0))
    of_one = 0 if shared else thread() * many * many * whole(channels) * whole(filters)
    sums = moved(table[5], of_one)
    (first, last), places = _mine(images, 1 - shared), _mine(many * many, shared)
    for image in range(first, last, together):
        count = min(together, last - image)
        part = _mine(count, shared)
        _turn(no, kinds[2], size, table[2], filters, image, part, no, outputs, behind, room)
        _wait(shared)  # others may still read `before`, and of fewer images than last time other ones are theirs
        if wanted[13]:
            _turn(no, kinds[0], size, table[1], channels, image, part, yes, many, before, room)
        _wait(shared)
        if wanted[13]:
            _add_up(size, count, places, before, behind, sums)
        if wanted[14]:
            _multiply(size, count, places, behind, filters, table[3], before, channels)
        _wait(shared)
        if wanted[14]:
            _turn(yes, kinds[3], size, table[4], channels, image, part, yes, many, before, room)


@cache
def loops() -> tuple[Any, Any]:
    """Forward and backward, for `convoscope.training.team.run`.

    The first tensor of each are sizes, whole numbers: those of `_sizes`, and, backward, whether the gradients of the
    kernels and of the inputs are wanted. Then

    - forward: inputs, kernels in places (n², columns of `LANES`, C, `LANES`), outputs to write, and room;
    - backward: inputs, gradients of the outputs, kernels in places turned round (n², columns of `LANES`, K, `LANES`),
      gradients of the inputs to write, zeros to add the gradients of the kernels to (threads, n², C, K), and room.

    Maps are (B, H, W, C), C and K in `sums` whole vectors, and room is for what `_rooms` divides it into.
    """
    forward, backward = for_team(_forward, _backward)
    return forward, backward
