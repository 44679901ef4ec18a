"""What may stand in an address: names as the registry's own grammar has them.

A repository's name holds slashes and may end in anything a path of ours could be called, so `/-/` ends it: a
lone `-` can never be part of one.
"""

from django.urls import register_converter

from regui import oci, registries


class RegistryName:
    """A registry's name, as the settings allow it."""

    regex = registries.NAME.pattern

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class RepositoryName(RegistryName):
    """A repository's name, slashes and all; a longer one than a registry can have is no address."""

    regex = oci.REPOSITORY

    def to_python(self, value: str) -> str:
        return oci.check_repository(value)  # ValueError: no such address


class TagName(RegistryName):
    regex = oci.TAG


class DigestName(RegistryName):
    regex = oci.DIGEST

    def to_python(self, value: str) -> str:
        return oci.Digest.parse(value)  # ValueError for a length the algorithm can't have


register_converter(RegistryName, "reg")
register_converter(RepositoryName, "repo")
register_converter(TagName, "tag")
register_converter(DigestName, "digest")
