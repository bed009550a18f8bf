"""One page of rectangles and words at true size, as PDF."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

Box = tuple[float, float, float, float]

POINT = 72 / 25.4  # points a millimetre
LARGEST = 5080.0  # mm: a page has at most 14400 points a side
FONTS = {"sans": "Helvetica", "mono": "Courier"}  # two of the fourteen that every reader has


@dataclass
class Page:
    """A page being filled, in millimetres from its top left corner, x right, y down.

    The same calls give the same bytes: there is no date and no compression in the file.

    Args:
        width: mm.
        height: mm.
    """

    width: float
    height: float
    _content: list[str] = field(default_factory=list)

    def fill(self, boxes: Iterable[Box], grey: float = 0.0) -> None:
        """Fill rectangles (x, y, width, height) as one shape, so that no seam shows where two touch.

        Args:
            boxes: mm.
            grey: 0 black to 1 white.
        """
        drawn = [f"{' '.join(map(_number, box))} re" for box in boxes]
        self._content += [f"{_number(grey)} g", *drawn, "f"]

    def write(
        self, text: str, x: float, y: float, size: float, font: str = "sans", grey: float = 0.0
    ) -> None:
        """Write a line of text.

        Args:
            text: what the WinAnsi code page has; other characters become question marks.
            x: left end, mm.
            y: base line, mm.
            size: of the font, mm.
            font: "sans", or "mono" with letters 0.6 of the size wide.
            grey: 0 black to 1 white.
        """
        place = f"1 0 0 -1 {_number(x)} {_number(y)} Tm"
        words = f"/{font} {_number(size)} Tf {place} ({_escaped(text)}) Tj"
        self._content.append(f"BT {_number(grey)} g {words} ET")

    def document(self, title: str) -> bytes:
        """Return the PDF file."""
        flip = f"{POINT:.10f} 0 0 {-POINT:.10f} 0 {self.height * POINT:.6f} cm"
        content = "\n".join([flip, *self._content])
        fonts = " ".join(f"/{key} {place} 0 R" for place, key in enumerate(FONTS, 5))
        box = f"[0 0 {self.width * POINT:.6f} {self.height * POINT:.6f}]"
        return _file(
            [
                "<< /Type /Catalog /Pages 2 0 R /ViewerPreferences << /PrintScaling /None >> >>",
                "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Contents 4 0 R"
                f" /Resources << /Font << {fonts} >> >> >>",
                f"<< /Length {len(content.encode('cp1252'))} >>\nstream\n{content}\nendstream",
                *(_font(name) for name in FONTS.values()),
                f"<< /Title ({_escaped(title)}) >>",
            ]
        )


def _font(name: str) -> str:
    return f"<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>"


def _file(objects: list[str]) -> bytes:
    """Number the objects (the first is the root, the last the information), and list their places."""
    data, places = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n{text}\nendobj\n".encode("cp1252")
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    head = f"xref\n0 {size}\n0000000000 65535 f \n{table}"
    tail = (
        f"trailer\n<< /Size {size} /Root 1 0 R /Info {len(objects)} 0 R >>\nstartxref\n{len(data)}\n%%EOF\n"
    )
    return data + (head + tail).encode("ascii")


def _number(value: float) -> str:
    """Millimetres to a tenth of a micrometre; PDF knows no exponents."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _escaped(text: str) -> str:
    known = text.encode("cp1252", errors="replace").decode("cp1252")
    return known.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
