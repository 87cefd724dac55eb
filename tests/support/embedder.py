"""Stand-ins for the E5, for the worker's ``--embedder``: they need no package, and misbehave on request."""

import hashlib
import os
import sys
import time

import numpy as np

WIDTH = 384


def embed(texts: list[str]) -> np.ndarray:
    """A vector a text, of length one, drawn from its digest; what the text asks for comes first.

    崩溃: the process ends. 沉睡: it sleeps for an hour. 报错: it raises. 短: one number too few. 打印: it prints.
    """
    for text in texts:
        if "崩溃" in text:
            os._exit(3)
        if "沉睡" in text:
            time.sleep(3600)
        if "报错" in text:
            raise ValueError(text)
        if "打印" in text:
            print("a library's chatter")
            sys.stdout.flush()
    width = WIDTH - 1 if any("短" in text for text in texts) else WIDTH
    rows = [np.random.default_rng(seed(text)).normal(size=width) for text in texts]
    return np.stack([row / np.linalg.norm(row) for row in rows])


def seed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def sleeps(texts: list[str]) -> np.ndarray:
    """Never answers, not even to say that it is ready."""
    time.sleep(3600)
    return embed(texts)


def crashes(texts: list[str]) -> np.ndarray:
    """Ends the process at the first text, so at the worker's start."""
    os._exit(3)
