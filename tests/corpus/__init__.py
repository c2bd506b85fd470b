"""Sample mail: ordinary as real mailers write it, and hostile as real attackers do."""
