"""Takes single files out of a wheel: unpack.py WHEEL FOLDER_INSIDE TARGET FILE..."""

import sys
import zipfile
from pathlib import Path


def main(wheel: str, folder: str, target: str, *names: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in names:
            path = Path(target, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(f"{folder}/{name}"))


if __name__ == "__main__":
    main(*sys.argv[1:])
