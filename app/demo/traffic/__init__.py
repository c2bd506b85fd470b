"""Sample mail that a person would believe, all of it made here: nothing is downloaded or copied."""
