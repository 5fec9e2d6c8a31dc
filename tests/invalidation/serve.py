"""python -m tests.invalidation.serve REDIS_URL PREFIX: another process of the program; prints its port, then serves."""

import sys

from werkzeug.serving import WSGIRequestHandler, make_server

from tests.cache.apps import wait_for_ever
from tests.conftest import be_patient
from tests.invalidation.instances import make_app


class Quiet(WSGIRequestHandler):
    """Speaks HTTP/1.1 and logs nothing."""

    protocol_version = "HTTP/1.1"

    def log(self, *_: object) -> None:
        pass


def main() -> None:
    redis_url, prefix = sys.argv[1:]
    be_patient()
    wait_for_ever()
    server = make_server("127.0.0.1", 0, make_app(redis_url, prefix), threaded=True, request_handler=Quiet)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
