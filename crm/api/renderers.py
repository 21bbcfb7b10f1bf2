"""JSON out and in, by orjson: fast, strict, UTF-8; and the forms that a whole list can take."""

from typing import Any

import orjson
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

LARGEST_BODY = 5_000_000


class TooLarge(APIException):
    """The body is larger than any record."""

    status_code = 413
    default_code = "too_large"


class Json(BaseRenderer):
    """application/json."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(self, data: Any, accepted_media_type=None, renderer_context=None) -> bytes:
        return b"" if data is None else orjson.dumps(data, default=str, option=orjson.OPT_NON_STR_KEYS)


class Stream(Json):
    """A form without pages. The list itself is streamed (crm.api.streaming); what is rendered here is a problem."""

    content_type = ""


class Ndjson(Stream):
    """One object a line."""

    media_type = "application/x-ndjson"
    format = "ndjson"
    content_type = "application/x-ndjson; charset=utf-8"


class Csv(Stream):
    """A header and one record a line."""

    media_type = "text/csv"
    format = "csv"
    content_type = "text/csv; charset=utf-8; header=present"


class Xlsx(Stream):
    """A workbook of one sheet."""

    media_type = content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    format = "xlsx"


STREAMS = (Ndjson, Csv, Xlsx)


class JsonParser(BaseParser):
    """application/json, one object."""

    media_type = "application/json"
    renderer_class = Json

    def parse(self, stream, media_type=None, parser_context=None) -> Any:
        body = stream.read(LARGEST_BODY + 1)
        if len(body) > LARGEST_BODY:
            raise TooLarge(_("The body is too large."))
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(_("The body is not JSON: {reason}").format(reason=error)) from error
