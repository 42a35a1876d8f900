"""A SOAP service on spyne: parcels are sent, looked up and refused. Arguments: port, certificate, key."""
import ssl
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from spyne import Application, Array, ComplexModel, DateTime, Decimal, Fault, Integer, ServiceBase, Unicode, rpc
from spyne.protocol.soap import Soap11, Soap12
from spyne.server.wsgi import WsgiApplication

SPACE = "urn:lockgate:parcels"
PARCELS = {}


class Line(ComplexModel):
    __namespace__ = SPACE
    article = Unicode
    count = Integer(ge=1)
    weight = Decimal


class Parcel(ComplexModel):
    __namespace__ = SPACE
    number = Unicode
    sent = DateTime
    lines = Array(Line)


class Parcels(ServiceBase):
    @rpc(Parcel, _returns=Decimal)
    def send(ctx, parcel):
        PARCELS[parcel.number] = parcel
        return sum(line.weight * line.count for line in parcel.lines or [])

    @rpc(Unicode, _returns=Parcel)
    def find(ctx, number):
        if number not in PARCELS:
            raise Fault(faultcode="Client.Unknown", faultstring="there is no such parcel")
        return PARCELS[number]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Silent(WSGIRequestHandler):
    def log_message(self, *arguments):
        pass


port, certificate, key, version = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
Soap = Soap12 if version == "1.2" else Soap11
service = WsgiApplication(Application([Parcels], SPACE, in_protocol=Soap(validator="lxml"), out_protocol=Soap()))
server = make_server("127.0.0.1", port, service, server_class=Server, handler_class=Silent)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
