"""Real parts for the tests: servers, a browser, mail programs.

A test asks for a part by its fixture. A part that this machine does not have skips the test and
names the package it wants; with CI=true it fails the test instead (`tests.parts.needs`).
"""
