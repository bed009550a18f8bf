"""Decoding that goes on after damage: every packet's frame in order of time, or the word that it is lost."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# H.264 and H.265 reorder at most 16 frames; one thread adds no delay. After damage the frames that the
# decoder still held come out between newer ones: a packet is given up only when this many more have gone in.
_PATIENCE = 24


@dataclass(frozen=True, eq=False)
class Shown:
    """A frame at its time (s, the container's clock; None = unknown); None = it cannot be decoded.

    `hidden` packets are there for the sake of others, and are not shown (an edit list cut them off).
    """

    time: Fraction | None
    frame: VideoFrame | None
    hidden: bool = False


def shown(container: InputContainer, stream: VideoStream) -> Iterator[Shown]:
    """Decode a stream with one thread (the views run side by side), in order of presentation time."""
    stream.codec_context.thread_count = 1
    order = _Order(stream.time_base or Fraction(1))
    for packet in _demuxed(container, stream):
        if packet is not None and packet.is_discard:
            yield Shown(None, None, hidden=True)
        order.sent(packet)
        for frame in _decoded(stream, packet, order):
            if frame.pts is None:
                yield Shown(None, None if frame.is_corrupt else frame)
            else:
                order.came(frame)
        yield from order.ready()
    yield from order.rest()


def _demuxed(container: InputContainer, stream: VideoStream) -> Iterator[Packet | None]:
    """The packets as far as the file can be read, then None to flush the decoder."""
    import av

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError, OSError):
            break
        if packet.size:  # an empty one would flush
            yield packet
    yield None


def _decoded(stream: VideoStream, packet: Packet | None, order: _Order) -> list[VideoFrame]:
    import av

    try:
        return list(stream.codec_context.decode(packet))
    except (av.FFmpegError, OSError):
        order.damage()
        return []


class _Order:
    """Puts frames into the order of their times, and finds those that cannot be had or trusted.

    From a damaged packet to the next key frame, decoders fill in from older pictures and do not say so: a
    person would stand still there with full confidence. Such frames count as lost, and so do the frames shown
    before that key frame which are stored after it, for they refer to both sides.
    """

    def __init__(self, tick: Fraction) -> None:
        self.tick = tick
        self.count = 0
        self.damaged = False  # before any damage, a packet without a frame is the codec's own affair
        self.tainted = False
        self.untainted_from: int | None = None  # pts of the first key frame after damage
        self.lost: set[int] = set()
        self.latest: int | None = None
        self.pending: list[tuple[int, int]] = []  # (pts, number of the packet), a heap
        self.frames: dict[int, VideoFrame] = {}

    def sent(self, packet: Packet | None) -> None:
        self.count += 1
        if packet is None:
            return
        self.latest = packet.pts
        if packet.is_corrupt:
            self.damage()
        elif packet.is_keyframe and self.tainted:
            self.tainted, self.untainted_from = False, packet.pts
        if packet.pts is not None and not packet.is_discard:
            heapq.heappush(self.pending, (packet.pts, self.count))
            if self.tainted or packet.pts < (self.untainted_from or packet.pts):
                self.lost.add(packet.pts)

    def damage(self) -> None:
        """The packet sent last is damaged."""
        self.damaged = self.tainted = True
        if self.latest is not None:
            self.lost.add(self.latest)

    def came(self, frame: VideoFrame) -> None:
        self.damaged |= frame.is_corrupt
        pts = int(frame.pts or 0)
        self.frames[pts] = frame
        if all(pts != waiting for waiting, _ in self.pending):
            heapq.heappush(self.pending, (pts, self.count))

    def ready(self) -> Iterator[Shown]:
        while self.pending:
            pts, number = self.pending[0]
            if pts not in self.frames and self.count - number < _PATIENCE:
                return
            yield from self._next()

    def rest(self) -> Iterator[Shown]:
        while self.pending:
            yield from self._next()

    def _next(self) -> Iterator[Shown]:
        pts, _ = heapq.heappop(self.pending)
        frame = self.frames.pop(pts, None)
        if frame is not None and not frame.is_corrupt and pts not in self.lost:
            yield Shown(pts * self.tick, frame)
        elif self.damaged:
            yield Shown(pts * self.tick, None)
        self.lost.discard(pts)
