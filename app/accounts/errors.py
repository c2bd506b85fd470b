"""What goes wrong with accounts; each text is one line that a person can act on."""

from app.phrase import Phrase


class AccountError(Exception):
    """A wish about accounts that cannot be met."""


class Forbidden(AccountError):
    """The role does not allow it. The text names the permission and nothing else."""

    def __init__(self, permission: str) -> None:
        super().__init__(f"not allowed: {permission}")
        self.permission = permission


class Unknown(AccountError):
    """No such domain, user or identity, or not one that this person may see."""


class Taken(AccountError):
    """The name or address belongs to something else already."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(AccountError):
    """A value that cannot be taken; `field` names what it was for."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


def sentence(text: str) -> str:
    """A text of an error as it stands beside a field; in other languages it is a sentence."""
    said = f"{text[:1].upper()}{text[1:].rstrip('.')}."
    return text.reading(said) if isinstance(text, Phrase) else said
