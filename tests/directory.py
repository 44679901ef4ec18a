"""A real OpenLDAP, with people and groups of its own, on loopback ports of its own."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import ldap
import trustme

SLAPD = shutil.which("slapd", path="/usr/sbin:/usr/local/sbin:/usr/bin") or "slapd"
BASE = "dc=example,dc=com"
PEOPLE, GROUPS = f"ou=people,{BASE}", f"ou=groups,{BASE}"
READER, READING = f"cn=reader,{BASE}", "r3ader, with = signs"
PASSWORD = "correct horse battery"
PATIENCE = 20  # seconds

CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/chain.pem
TLSCertificateKeyFile {folder}/key.pem
# As many a directory is set up: who shows a name and no password is let through as nobody.
allow bind_anon_dn
database mdb
suffix "{base}"
rootdn "cn=root,{base}"
rootpw root
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to * by dn="{reader}" read by * none
"""

ENTRIES = """
dn: {base}
objectClass: dcObject
objectClass: organization
dc: example
o: example

dn: {people}
objectClass: organizationalUnit
ou: people

dn: {groups}
objectClass: organizationalUnit
ou: groups

dn: {reader}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: {reading}
"""
PERSON = """
dn: uid={dn},{people}
objectClass: inetOrgPerson
uid: {name}
cn: {name}
sn: {name}
mail: {name}@example.com
userPassword: {password}
"""
GROUP = """
dn: cn={name},{groups}
objectClass: groupOfNames
cn: {name}
"""


@dataclass(frozen=True)
class Directory:
    """The running server: Alice is in admins and staff, Bob in staff, Charlie in no group."""

    folder: Path
    port: int
    tls_port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"ldaps://127.0.0.1:{self.tls_port}"

    @property
    def ca_file(self) -> str:
        return str(self.folder / "ca.pem")

    def member(self, group: str, name: str, *, there: bool) -> None:
        """Put the person into the group, or take them out."""
        change = ldap.MOD_ADD if there else ldap.MOD_DELETE
        with self.root() as connection:
            connection.modify_s(
                f"cn={group},{GROUPS}", [(change, "member", [f"uid={name},{PEOPLE}".encode()])]
            )

    @contextmanager
    def root(self) -> Iterator["ldap.ldapobject.LDAPObject"]:
        connection = ldap.initialize(self.url)
        connection.simple_bind_s(f"cn=root,{BASE}", "root")
        try:
            yield connection
        finally:
            connection.unbind_s()


@contextmanager
def running(folder: Path) -> Iterator[Directory]:
    """The directory, until the block ends."""
    certificates(folder)
    (folder / "data").mkdir()
    config, entries = folder / "slapd.conf", folder / "entries.ldif"
    config.write_text(CONFIG.format(folder=folder, base=BASE, reader=READER))
    entries.write_text(ldif())
    subprocess.run([SLAPD, "-T", "add", "-f", config, "-l", entries], check=True, capture_output=True)
    port, tls_port = free_port(), free_port()
    urls = f"ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tls_port}"
    process = subprocess.Popen([SLAPD, "-f", config, "-h", urls, "-d", "0"], stderr=subprocess.DEVNULL)
    try:
        await_port(port, process)
        yield Directory(folder, port, tls_port, process)
    finally:
        process.terminate()
        process.wait()


def ldif() -> str:
    """Everything that is in it at first."""
    values = {"base": BASE, "people": PEOPLE, "groups": GROUPS, "reader": READER, "reading": READING}
    found = ENTRIES.format(**values)
    for name in ("alice", "bob", "charlie", "o'neil", "star", "zoë(1)"):
        dn = ldap.dn.escape_dn_chars(name)
        found += PERSON.format(dn=dn, name=name, people=PEOPLE, password=PASSWORD)
    for group, members in {"admins": ["alice"], "staff": ["alice", "bob"]}.items():
        found += GROUP.format(name=group, groups=GROUPS)
        found += "".join(f"member: uid={member},{PEOPLE}\n" for member in members)
    return found


def certificates(folder: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    (folder / "chain.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return once it listens there."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert process.poll() is None, "slapd ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("slapd doesn't listen")
