"""A SOAP service for attachments (MTOM), which it counts and makes on the way. Arguments: port, certificate, key.

POST /files: `store` takes an attachment and answers how many bytes it had, -1 where they are not those of `fetch`; that
gives one of as many bytes as the name says.
"""
import re
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BLOCK = bytes(range(256)) * 4096
PLACE = b'<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:content%40files"/>'


def envelope(body):
    return (b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>' + body + b'</s:Body></s:Envelope>')


class Files(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *arguments):
        pass

    def pieces(self):
        """The content of the request, however it is sent."""
        if 'chunked' in self.headers.get('transfer-encoding', ''):
            while True:
                length = int(self.rfile.readline(), 16)
                left = length
                while left:
                    piece = self.rfile.read(min(left, 1 << 20))
                    left -= len(piece)
                    yield piece
                self.rfile.readline()
                if not length:
                    return
        left = int(self.headers['content-length'])
        while left:
            piece = self.rfile.read(min(left, 1 << 20))
            if not piece:
                raise ConnectionError('cut off')
            left -= len(piece)
            yield piece

    def answer(self, media_type, length, pieces):
        self.send_response(200)
        self.send_header('content-type', media_type)
        self.send_header('content-length', str(length))
        self.end_headers()
        for piece in pieces:
            self.wfile.write(piece)

    def do_POST(self):
        media_type = self.headers['content-type']
        if media_type.startswith('multipart/related'):
            self.store(re.search('boundary="([^"]+)"', media_type)[1].encode())
        else:
            self.fetch(b''.join(self.pieces()))

    def store(self, boundary):
        """Counts the second part; it must be the pattern of `fetch`."""
        end = b'\r\n--' + boundary + b'--'
        head, count, held, right = b'', None, b'', True
        for piece in self.pieces():
            if count is None:
                head += piece
                parts = head.split(b'\r\n\r\n', 2)
                if len(parts) < 3:
                    continue
                if b'cid:attachment' not in parts[1] or b'content-id: <attachment>' not in parts[1]:
                    raise ValueError('no attachment')
                count, held = 0, parts[2]
            else:
                held += piece
            if len(held) > len(end) + 4:
                sure, held = held[:-len(end) - 4], held[-len(end) - 4:]
                at = count % len(BLOCK)
                right = right and (BLOCK + BLOCK)[at:at + len(sure)] == sure
                count += len(sure)
        tail = held.split(end)[0]
        at = count % len(BLOCK)
        right = right and (BLOCK + BLOCK)[at:at + len(tail)] == tail
        count = count + len(tail) if right else -1
        body = envelope(b'<storeResponse xmlns="urn:lockgate:files"><bytes>%d</bytes></storeResponse>' % count)
        self.answer('text/xml', len(body), [body])

    def fetch(self, request):
        length = int(re.search(rb'name>(\d+)<', request)[1])
        body = envelope(b'<fetchResponse xmlns="urn:lockgate:files"><content>' + PLACE + b'</content></fetchResponse>')
        before = b'--parts\r\ncontent-type: application/xop+xml; type="text/xml"\r\ncontent-id: <root>\r\n\r\n' + body
        before += b'\r\n--parts\r\ncontent-type: application/pdf\r\ncontent-id: <content@files>\r\n\r\n'
        after = b'\r\n--parts--\r\n'
        full, rest = divmod(length, len(BLOCK))

        def pieces():
            yield before
            for _ in range(full):
                yield BLOCK
            yield BLOCK[:rest]
            yield after

        media_type = 'multipart/related; type="application/xop+xml"; start="<root>"; start-info="text/xml"; boundary=parts'
        self.answer(media_type, len(before) + length + len(after), pieces())


port, certificate, key = int(sys.argv[1]), sys.argv[2], sys.argv[3]
server = ThreadingHTTPServer(('127.0.0.1', port), Files)
server.daemon_threads = True
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
