"""Habits of writing in memory."""

from dataclasses import dataclass, field

from app.viewer import Viewer
from app.views import BadEntry, Habits


@dataclass
class HabitDouble:
    kept: Habits = field(default_factory=Habits)

    def habits(self, viewer: Viewer) -> Habits:
        return self.kept

    def set_habits(self, viewer: Viewer, habits: Habits) -> None:
        for name, signature in habits.signatures.items():
            if len(signature) > 4_000:
                raise BadEntry(f"signature-{name}", "A signature has at most 4,000 characters.")
        self.kept = habits
