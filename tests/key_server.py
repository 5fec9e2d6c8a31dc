"""A small server that hands out a key set, as Supabase Auth does, and the keys that sign tokens for it."""

import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa


class Key:
    """A signing key with its public half as the set shows it."""

    def __init__(self, algorithm: str, kid: str) -> None:
        self.algorithm, self.kid = algorithm, kid
        is_ec = algorithm == "ES256"
        self.private = ec.generate_private_key(ec.SECP256R1()) if is_ec else rsa.generate_private_key(65537, 2048)
        family = jwt.algorithms.ECAlgorithm if is_ec else jwt.algorithms.RSAAlgorithm
        self.public = family.to_jwk(self.private.public_key(), as_dict=True) | {"kid": kid, "alg": algorithm}

    def sign(self, verifier_url: str, **changes: Any) -> str:
        now = int(time.time())
        issuer = f"{verifier_url}/auth/v1"
        claims = {"sub": str(uuid.uuid4()), "aud": "authenticated", "iss": issuer, "iat": now, "exp": now + 600}
        return jwt.encode(claims | changes, self.private, algorithm=self.algorithm, headers={"kid": self.kid})


class KeyServer(ThreadingHTTPServer):
    """Serves `body` with `status` and counts the requests."""

    status, requests = 200, 0
    body: Any = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def show(self, *keys: Key) -> None:
        self.status, self.body = 200, {"keys": [key.public for key in keys]}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server: KeyServer = self.server  # type: ignore[assignment]
        server.requests += 1
        assert self.path == "/auth/v1/.well-known/jwks.json"
        payload = server.body if isinstance(server.body, bytes) else json.dumps(server.body).encode()
        self.send_response(server.status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: Any) -> None:
        pass
