"""Recordings: uploads, signed links, and who may sign what."""

import os
import uuid

import httpx
import pytest

from tests.stack.conftest import PASSWORD

BUCKET = "call-recordings"
ROOT = "/storage/v1/object"
SOUND = b"RIFF" + bytes(range(256))


@pytest.fixture
def stored(service, session):
    """An object in the first folder of the session's organisation."""
    name = f"{session['user']['app_metadata']['org_id']}/{uuid.uuid4()}/call ü.wav"
    reply = service.post(f"{ROOT}/{BUCKET}/{name}", content=SOUND, headers={"Content-Type": "audio/wav"})
    assert reply.status_code == 200, reply.text
    return name


def sign(client, name, **headers):
    return client.post(f"{ROOT}/sign/{BUCKET}/{name}", json={"expiresIn": 60}, headers=headers)


def open_link(signed):
    return httpx.get(os.environ["SUPABASE_URL"] + "/storage/v1" + signed)


def test_bucket_is_there_and_private(service, door):
    assert service.get(f"/storage/v1/bucket/{BUCKET}").json()["public"] is False
    assert httpx.get(f"{os.environ['SUPABASE_URL']}{ROOT}/public/{BUCKET}/x.wav").json()["statusCode"] == "404"


def test_signed_link_serves_the_object_without_a_key(service, stored):
    reply = open_link(sign(service, stored).json()["signedURL"])
    assert reply.content == SOUND
    assert reply.headers["content-type"] == "audio/wav"


@pytest.mark.parametrize(
    ("asked", "status", "content"),
    [
        ("bytes=0-3", 206, SOUND[:4]),
        ("bytes=250-", 206, SOUND[250:]),
        ("bytes=-2", 206, SOUND[-2:]),
        ("bytes=900-", 416, b""),
    ],
)
def test_player_may_ask_for_a_part(service, stored, asked, status, content):
    url = os.environ["SUPABASE_URL"] + "/storage/v1" + sign(service, stored).json()["signedURL"]
    reply = httpx.get(url, headers={"Range": asked})
    assert (reply.status_code, reply.content) == (status, content)
    assert reply.headers["content-range"].endswith(f"/{len(SOUND)}")


def test_signed_link_is_for_one_object_only(service, stored):
    link = sign(service, stored).json()["signedURL"]
    assert open_link(link.replace(stored.split("/")[1], "another")).json()["error"] == "InvalidSignature"
    assert open_link(link[:-3] + "abc").json()["error"] == "InvalidJWT"


def test_missing_object_is_the_hosted_404(service):
    reply = sign(service, "nothing.wav")
    assert reply.status_code == 400
    assert reply.json() == {"statusCode": "404", "error": "not_found", "message": "Object not found"}


def test_many_links_at_once_tell_which_are_missing(service, stored):
    links = service.post(f"{ROOT}/sign/{BUCKET}", json={"expiresIn": 60, "paths": [stored, "none.wav"]}).json()
    assert open_link(links[0]["signedURL"]).content == SOUND
    assert links[1]["signedURL"] is None
    assert links[1]["error"]


def test_another_tenant_signs_and_reads_nothing(door, stored, email):
    other = door.post("/auth/v1/signup", json={"email": f"other-{email}", "password": PASSWORD}).json()
    token = {"Authorization": f"Bearer {other['access_token']}"}
    assert sign(door, stored, **token).json()["statusCode"] == "404"
    assert door.get(f"{ROOT}/{BUCKET}/{stored}", headers=token).json()["statusCode"] == "404"
    assert sign(door, stored).json()["statusCode"] in {"403", "404"}


def test_tenant_cannot_write_into_anothers_folder(door, bearer):
    reply = door.post(f"{ROOT}/{BUCKET}/{uuid.uuid4()}/x.wav", content=SOUND, headers=bearer)
    assert reply.json()["statusCode"] == "403"


def test_upload_replaces_only_when_told_so(service, stored):
    again = service.post(f"{ROOT}/{BUCKET}/{stored}", content=b"new")
    assert again.json() == {"statusCode": "409", "error": "Duplicate", "message": "The resource already exists"}
    assert service.post(f"{ROOT}/{BUCKET}/{stored}", content=b"new", headers={"x-upsert": "true"}).status_code == 200
    assert service.get(f"{ROOT}/{BUCKET}/{stored}").content == b"new"


def test_form_upload_info_and_removal(service, stored):
    name = stored.replace("call", "form")
    assert service.post(f"{ROOT}/{BUCKET}/{name}", files={"": ("a.wav", SOUND, "audio/wav")}).status_code == 200
    assert service.get(f"{ROOT}/info/{BUCKET}/{name}").json()["size"] == len(SOUND)
    assert service.head(f"{ROOT}/{BUCKET}/{name}").status_code == 200
    assert [row["name"] for row in service.request("DELETE", f"{ROOT}/{BUCKET}", json={"prefixes": [name]}).json()] == [
        name
    ]
    assert service.get(f"{ROOT}/info/{BUCKET}/{name}").status_code == 400


@pytest.mark.parametrize("body", [{}, {"expiresIn": 0}, {"expiresIn": "soon"}])
def test_life_of_a_link_is_checked(service, stored, body):
    assert service.post(f"{ROOT}/sign/{BUCKET}/{stored}", json=body).json()["error"] == "invalid_request"
