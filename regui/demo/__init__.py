"""The demo: a real registry, started on this machine and filled with the images of a small company."""

from regui.demo.binary import CannotStart, registry_binary

__all__ = ["CannotStart", "registry_binary"]
