"""regui: the web front end for the Docker/OCI registry you already run."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("regui")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0+unknown"
