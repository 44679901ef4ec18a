"""A server that takes e-mail, on a socket of this machine: as little of SMTP as a sender needs."""

import email
import email.policy
import socketserver
import threading
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Self


@dataclass
class Mailbox:
    """What came in. With a `refusal` nothing does: that is answered to who names a recipient."""

    refusal: str = ""
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
            self.say("220 here")
            while line := self.rfile.readline().decode().strip():
                verb = line.split()[0].upper()
                if verb == "EHLO":
                    self.say("250-here\r\n250-AUTH PLAIN\r\n250 8BITMIME")
                elif verb == "AUTH":
                    box.signed_in.append(line.split()[-1])
                    self.say("235 welcome")
                elif verb == "RCPT" and box.refusal:
                    self.say(box.refusal)
                elif verb == "DATA":
                    self.take()
                else:
                    self.say("221 bye" if verb == "QUIT" else "250 fine")

        def take(self) -> None:
            self.say("354 go on")
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
