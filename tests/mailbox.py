"""A server that takes e-mail, on a socket of this machine: as little of SMTP as a sender needs."""

import email
import email.policy
import socketserver
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Self


@dataclass
class Mailbox:
    """What came in. With a `refusal` nothing does: that is answered to who names a recipient. With a
    `context` it offers STARTTLS, or with `tls` too speaks TLS from the beginning; `encrypted` says of each
    message whether it came that way."""

    refusal: str = ""
    context: ssl.SSLContext | None = None
    tls: bool = False
    encrypted: list[bool] = field(default_factory=list)
    messages: list[EmailMessage] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    signed_in: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler(self))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def handler(box: Mailbox) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(ssl.SSLError):  # they don't believe who we are, and hang up
                self.talk()

        def talk(self) -> None:
            if box.tls:
                self.encrypt()
            self.say("220 here")
            while line := self.rfile.readline().decode().strip():
                verb = line.split()[0].upper()
                if verb == "EHLO":
                    offered = "250-STARTTLS\r\n" if box.context and not self.encrypted else ""
                    self.say(f"250-here\r\n250-AUTH PLAIN\r\n{offered}250 8BITMIME")
                elif verb == "STARTTLS":
                    self.say("220 go ahead")
                    self.encrypt()
                elif verb == "AUTH":
                    box.signed_in.append(line.split()[-1])
                    self.say("235 welcome")
                elif verb == "RCPT" and box.refusal:
                    self.say(box.refusal)
                elif verb == "DATA":
                    self.take()
                else:
                    self.say("221 bye" if verb == "QUIT" else "250 fine")

        @property
        def encrypted(self) -> bool:
            return isinstance(self.connection, ssl.SSLSocket)

        def encrypt(self) -> None:
            assert box.context
            self.connection = box.context.wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb")
            self.wfile = self.connection.makefile("wb", buffering=0)

        def finish(self) -> None:
            super().finish()
            self.connection.close()

        def take(self) -> None:
            self.say("354 go on")
            box.encrypted.append(self.encrypted)
            lines = []
            while (line := self.rfile.readline()) not in {b".\r\n", b""}:
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            raw = b"".join(lines)
            box.sent.append(raw)
            box.messages.append(email.message_from_bytes(raw, policy=email.policy.default))
            self.say("250 taken")

        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    return Handler
