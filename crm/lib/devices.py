"""What a browser calls itself, in words: people know "Edge on Windows", not a User-Agent header."""

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

# What it says of itself -> what people call it. Each names its ancestors too, so the youngest stand first.
_BROWSERS: tuple[tuple[str, str | Promise], ...] = (
    ("wxwork/", _("WeCom")),
    ("micromessenger/", _("WeChat")),
    ("dingtalk/", _("DingTalk")),
    ("lark/", _("Feishu")),
    ("feishu/", _("Feishu")),
    ("edg", "Edge"),
    ("qqbrowser/", _("QQ Browser")),
    ("360se", _("360 Browser")),
    ("opr/", "Opera"),
    ("firefox/", "Firefox"),
    ("fxios/", "Firefox"),
    ("chrome/", "Chrome"),
    ("crios/", "Chrome"),
    ("safari/", "Safari"),
)
_SYSTEMS: tuple[tuple[str, str | Promise], ...] = (
    ("iphone", "iPhone"),
    ("ipad", "iPad"),
    ("openharmony", _("HarmonyOS")),
    ("harmonyos", _("HarmonyOS")),
    ("android", "Android"),
    ("windows", "Windows"),
    ("mac os x", "macOS"),
    ("linux", "Linux"),
)


def device_in_words(user_agent: str) -> str:
    """Browser and system, as far as they are known."""
    said = user_agent.lower()
    browser = next((name for sign, name in _BROWSERS if sign in said), "")
    system = next((name for sign, name in _SYSTEMS if sign in said), "")
    if browser and system:
        return gettext("{browser} on {system}").format(browser=browser, system=system)
    return str(browser or system or gettext("unknown device"))
