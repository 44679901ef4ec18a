"""What runs somewhere, as clusters and machines tell, and what may therefore not be taken away."""

from regui.actions.inuse.uses import Uses, of_registry, of_repository

__all__ = ["Uses", "of_registry", "of_repository"]
