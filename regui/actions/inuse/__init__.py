"""What runs somewhere, as clusters and machines tell, and what may therefore not be taken away."""

from regui.actions.inuse.sources import Others, Told, forget, tell
from regui.actions.inuse.uses import Uses, of_registry, of_repository

__all__ = ["Others", "Told", "Uses", "forget", "of_registry", "of_repository", "tell"]
