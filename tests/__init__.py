"""The tests of LiveArchive; they mirror the packages."""
