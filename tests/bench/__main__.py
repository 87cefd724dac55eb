"""Every benchmark that needs no data from elsewhere, one after the other: ``make bench``.

``make bench-sentiment`` and ``make bench-surges`` take a folder of labelled data, which is not in the repository.
"""

import subprocess
import sys

BENCHES = ("text", "match", "variants", "stories", "feeds", "engine", "delivery", "idle")

if __name__ == "__main__":
    failed = []
    for name in BENCHES:
        print(f"\n== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"tests.bench.{name}"], check=False).returncode:
            failed.append(name)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)
