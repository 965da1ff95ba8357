#!/usr/bin/env python3
"""Checks a folder of thumbnails: how many there are, and that each is so large and 8-bit grey.

    check_thumbnails.py FOLDER COUNT WIDTH HEIGHT

Reads the headers of JPEG and PNG files with nothing but the standard library.
"""
import struct
import sys
from pathlib import Path


def png(data):
    """Width, height, and whether it is 8-bit grey, from the IHDR chunk."""
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    return width, height, (depth, colour) == (8, 0)


def jpeg(data):
    """The same from the frame header: the first of the markers SOF0 to SOF2."""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], struct.unpack(">H", data[at + 2 : at + 4])[0]
        if marker in (0xC0, 0xC1, 0xC2):
            depth, height, width, components = struct.unpack(">BHHB", data[at + 4 : at + 10])
            return width, height, (depth, components) == (8, 1)
        at += 2 + length
    raise ValueError("no frame header")


def main():
    folder, count, width, height = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    pictures = [path for path in sorted(folder.iterdir()) if path.suffix not in (".html", ".part")]
    wrong = [] if len(pictures) == count else [f"{len(pictures)} pictures instead of {count}"]
    for path in pictures:
        data = path.read_bytes()
        try:
            read = png if data.startswith(b"\x89PNG") else jpeg
            found = read(data)
        except (ValueError, struct.error) as error:
            wrong.append(f"{path.name}: {error}")
            continue
        if found != (width, height, True):
            wrong.append(f"{path.name}: width, height, 8-bit grey = {found}")
    print("\n".join(wrong[:20]) or f"{count} thumbnails, each {width}x{height}, 8-bit grey")
    sys.exit(bool(wrong))


main()
