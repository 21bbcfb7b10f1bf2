"""What may be uploaded at all: a request that says it is larger is refused before any of it is kept."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

LARGEST_REQUEST = 60_000_000  # bytes, with everything around the file


class LimitedUpload(FileUploadHandler):
    """Refuses what is too large; the handlers after it keep the rest."""

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *args: Any, **kwargs: Any) -> None:
        """Look at the announced length before anything is read."""
        if content_length > LARGEST_REQUEST:
            raise RequestDataTooBig(f"{content_length} bytes")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Hand on what comes."""
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave the file to the handlers after this one."""
