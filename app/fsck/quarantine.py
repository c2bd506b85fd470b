"""Octets of segments that are no use, kept apart until their day is over: `quarantine/DAY/`.

A segment is never rewritten, so what is damaged in it stays there; a copy here says that
somebody has looked at it, and is at hand for whoever wants to find out why. Keys that open
are not copied: a final delete could not reach them here.
"""

import shutil
from datetime import date
from pathlib import Path

from archive_store.durable import make_folder, replace_file, sync_folder
from archive_store.segments import FrameRef


class Quarantine:
    """The folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def holds(self, ref: FrameRef) -> bool:
        """Whether these octets of a segment were put here before."""
        return self._path(ref).exists()

    def put(self, ref: FrameRef, octets: bytes) -> None:
        """Keep a copy, durably."""
        path = self._path(ref)
        make_folder(path.parent)
        replace_file(path, octets)

    def drop(self, over: date) -> None:
        """Remove the days up to and including `over`: as in the segments, it is noise by now."""
        if not self._folder.is_dir():
            return
        for folder in list(self._folder.iterdir()):
            if folder.name <= over.isoformat():
                shutil.rmtree(folder)
        sync_folder(self._folder)

    def _path(self, ref: FrameRef) -> Path:
        name = f"{ref.segment.removesuffix('.seg').replace('/', '_')}-{ref.offset}.octets"
        return self._folder / ref.day.isoformat() / name
