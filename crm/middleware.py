"""The language of a page: the person's own choice, else the switch's cookie, else the browser's."""

from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation


class LanguageOfUser(LocaleMiddleware):
    """What Django chooses (cookie, browser, LANGUAGE_CODE), unless the person has chosen for himself."""

    def process_request(self, request: HttpRequest) -> None:
        """Activate the language for the rest of the request."""
        super().process_request(request)
        if request.user.is_authenticated and request.user.language:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()
