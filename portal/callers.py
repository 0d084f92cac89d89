"""Who sends a body, asked before it is taken: only somebody who is known may send a large one. Called by `portal.body_limits`.

A cookie or a key that somebody made up opens nothing here: both are looked up, as the views look them up afterwards.
"""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.core.handlers.wsgi import WSGIRequest
from django.http.cookie import parse_cookie
from django.urls import Resolver404, resolve
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from portal.machines import normal

Environ = dict[str, Any]


def person_of(environ: Environ) -> str:
    """`person 5` where the session cookie is that of somebody who is signed in, otherwise nothing."""
    key = parse_cookie(environ.get("HTTP_COOKIE", "")).get(settings.SESSION_COOKIE_NAME)
    if not key:
        return ""
    request = WSGIRequest(environ)
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = get_user(request)
    return f"person {user.pk}" if user.is_authenticated else ""


def key_of(environ: Environ) -> str:
    """`key 5` where the request has a key that opens its address, otherwise nothing."""
    request = WSGIRequest(environ)
    try:
        view = resolve(normal(request.path_info)).func
        ways = [way() for way in view.cls.authentication_classes]  # type: ignore[attr-defined]
        found = Request(request, authenticators=ways).auth
    except (Resolver404, AttributeError, APIException):
        return ""
    return f"key {found.pk}" if found else ""
