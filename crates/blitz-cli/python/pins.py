"""Says which pinned packages this environment lacks, a line each.

Usage: pins.py PIN..., each as requirements.txt writes it.
"""

import importlib.metadata
import sys

from packaging.requirements import Requirement

for pin in map(Requirement, sys.argv[1:]):
    if pin.marker and not pin.marker.evaluate():
        continue
    try:
        found = importlib.metadata.version(pin.name)
    except importlib.metadata.PackageNotFoundError:
        found = "nothing"
    if found == "nothing" or found not in pin.specifier:
        print(f"{pin.name}{pin.specifier} is pinned, {found} is there")
