"""The sixty people of the demo company, in all roles."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from grading.demo.places import REGIONS

SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_ONE = "伟芳敏静丽强磊军洋勇艳杰娟涛明超霞平刚辉玲鹏华飞红鑫波斌宇浩凯健俊帆雪琳晶倩岩峰"
_TWO = (
    "志强建国建华文博晓东晓燕海燕丽娜雅婷子涵宇航浩然思远嘉琪慧敏国栋永强春梅秀英玉兰明哲立新卫东振华"
    "家豪雨欣梦洁天宇佳怡学军少华长江庆丰德明云飞一鸣景行若兰清扬书瑶承志绍华兴旺广林"
)
GIVEN = (*_ONE, *(_TWO[index : index + 2] for index in range(0, len(_TWO), 2)))


@dataclass(frozen=True)
class Person:
    """Someone who works for the demo company."""

    username: str
    name: str
    role: str
    department: str = ""
    region: str = ""
    branch: str = ""
    guided_by: str = ""


# username, role, department
_HEAD_OFFICE = (
    ("executive", "executive", ""),
    ("executive2", "executive", ""),
    ("head", "sales_management", "sales-management"),
    ("head2", "sales_management", "sales-management"),
    ("tech", "tech_service", "tech-service"),
    ("tech2", "tech_service", "tech-service"),
    ("marketing", "marketing", "marketing"),
    ("marketing2", "marketing", "marketing"),
    ("service", "service", "service"),
    ("account-director", "account_director", ""),
    ("director", "director", ""),
    ("consultant", "consultant", "tech-service"),
    ("consultant2", "consultant", "tech-service"),
    ("implementation", "implementation_manager", "service"),
    ("admin", "administrator", ""),
)
# what follows the region in the username, role, who guides
_IN_A_REGION = (
    ("", "regional_staff", ""),
    ("-gm", "regional_gm", ""),
    ("-branch", "branch_gm", ""),
    ("-senior", "senior_sales_manager", ""),
    ("-account", "account_manager", "-senior"),
    ("-account2", "account_manager", "-senior"),
    ("-sales", "sales_manager", "-account"),
    ("-sales2", "sales_manager", "-account"),
    ("-sales3", "sales_manager", "-account2"),
)


def people(rng: Random) -> Iterator[Person]:
    """Everyone, guides before those they guide."""
    names = _names(rng)
    for username, role, department in _HEAD_OFFICE:
        yield Person(username, next(names), role, department)
    for region, _, _, capitals in REGIONS:
        branch = branch_code(capitals[2][2])
        for suffix, role, guide in _IN_A_REGION:
            yield Person(
                username=region + suffix,
                name=next(names),
                role=role,
                region=region,
                branch=branch if role == "branch_gm" else "",
                guided_by=region + guide if guide else "",
            )


def branch_code(capital: str) -> str:
    """The code of a branch office by its city's English name."""
    return capital.lower().replace("'", "")


def person_name(rng: Random) -> str:
    """A name as people have."""
    return rng.choice(SURNAMES) + rng.choice(GIVEN)


def _names(rng: Random) -> Iterator[str]:
    taken: set[str] = set()
    while True:
        name = person_name(rng)
        if name not in taken:
            taken.add(name)
            yield name
