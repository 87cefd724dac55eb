"""Reading mention lines from files or standard input, a bad one told with its place and passed over."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Lines:
    """Every line of the files (standard input where there are none) that is not blank, with its place ``file:line``."""

    files: list[Path]
    read: int = 0
    refused: int = 0
    _place: str = field(default="", init=False)

    def __iter__(self) -> Iterator[bytes]:
        for file in self.files or [Path("-")]:
            name = "standard input" if str(file) == "-" else str(file)
            stream = sys.stdin.buffer if str(file) == "-" else file.open("rb")
            try:
                for number, line in enumerate(stream, start=1):
                    if line.strip():
                        self._place = f"{name}:{number}"
                        self.read += 1
                        yield line
            finally:
                if stream is not sys.stdin.buffer:
                    stream.close()

    def refuse(self, message: str) -> None:
        """Tell of the line that was read last, and go on."""
        self.refused += 1
        print(f"{self._place}: {message}", file=sys.stderr)
