"""What is painted over in images, so that somebody is seen without those who are near him."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mocap.detect.follow import GREY
from mocap.video import Image

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Cover:
    """Strokes of paint.

    Args:
        strokes: (S, 6) one after the other: x, y of both ends and thickness, pixels; and 1 to paint, or 0 to
            show what is there after all.
        owners: (S,) for which look each is; not falling.
    """

    strokes: Floats
    owners: Indices

    @classmethod
    def nothing(cls) -> Cover:
        """No strokes at all."""
        return cls(np.zeros((0, 6)), np.zeros(0, dtype=np.intp))

    def over(self, image: Image, number: int) -> Image:
        """The image as it is shown to look `number`."""
        from cv2 import line

        first, stop = np.searchsorted(self.owners, [number, number + 1])
        if first == stop:
            return image
        hidden = np.zeros(image.shape[:2], np.uint8)
        for *ends, thick, paint in self.strokes[first:stop].round().astype(int).tolist():
            line(hidden, ends[:2], ends[2:], paint, max(thick, 1))
        return np.where(hidden[..., None] > 0, np.uint8(GREY), image)

    @property
    def key(self) -> bytes:
        """What is painted for whom, to a pixel."""
        return self.strokes.round().astype(np.int64).tobytes() + self.owners.astype(np.int64).tobytes()
