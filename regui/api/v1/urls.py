"""The API's addresses, and its description of itself. Imported with the first request for one of them."""

from typing import Any

from django.conf import settings
from django.urls import path
from django.views.decorators.http import require_safe
from ninja import NinjaAPI

from regui import __version__, converters  # noqa: F401 — registers the converters of the addresses
from regui.api.v1 import (
    actions,
    errors,
    in_use,
    manifests,
    plans,
    registries,
    repositories,
    search,
    sync,
    tags,
)
from regui.api.v1.asking import asker

ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "hint", "details"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "hint": {"type": "string"},
                "details": {},
            },
        }
    },
}
REFUSED = {
    "description": "Anything else",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}


# Any of these will do; so does none, where visitors have a role.
WAYS_IN = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of a person or of a robot: regui_ and 43 more characters.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": settings.SESSION_COOKIE_NAME,
        "description": "Somebody who has signed in, in a browser, on regui's own pages.",
    },
}


class Api(NinjaAPI):
    """The API, whose description tells of its one shape for errors, too, and of how one says who one is."""

    def get_openapi_schema(self, **options: Any) -> Any:
        schema = super().get_openapi_schema(**options)
        schema["components"]["schemas"]["Error"] = ERROR
        schema["components"]["securitySchemes"] = WAYS_IN
        schema["security"] = [*({name: []} for name in WAYS_IN), {}]
        for methods in schema["paths"].values():
            for operation in methods.values():
                operation["responses"]["default"] = REFUSED
        return schema

    def get_openapi_operation_id(self, operation: Any) -> str:
        return str(operation.view_func.__name__)


api = Api(
    title="regui",
    version=__version__,
    description="What regui's pages offer, for programs. docs/api.md tells how to use it.",
    urls_namespace="v1",
    docs_url=None,
    docs_decorator=require_safe,
    auth=asker,
)
errors.handle(api)
for module in (registries, repositories, tags, manifests, search, plans, actions, sync, in_use):
    api.add_router("", module.router)

urlpatterns = [path("api/v1/", api.urls)]
