# SPDX-License-Identifier: Apache-2.0
"""Author lists as Chinese databases print them: split into names, and a name into family and given only when sure.

Seen in exports: one line split by ``;``, ``；`` or (older records) ``,``, with or without a last separator; the sign
等 or "et al." where a list is cut; marks of affiliations behind a name (``郝国强[1,2]``); names of groups; names of
foreign authors with a comma (``Kim, Judy S``) and without (``Kim Judy S``).
"""

from __future__ import annotations

import re
from functools import lru_cache

from sirolens.evidence.record import Author

__all__ = ["authors", "chinese_name"]

# Common family names of one character, simplified and traditional; a name that begins with no such is printed only.
_FAMILIES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔"
    "钟谭陆汪范金石廖贾夏韦付傅方白邹孟熊秦邱江尹薛闫阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊"
    "葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝"
    "路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全"
    "佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢"
    "劳谌奚皮粟冼蔺楼盘满闻位厉伊仝区郜海阚花权强帅屠豆朴盖练廉禹井祖漆巴丰支卿国狄平计索宣晋相初门云容敬来扈晁芮都"
    "普阙浦戈伏鹿薄邸雍辜羊阿乌母裘亓修邰赫杭况那宿鲜印逯隆茹诺战慕危玉银亢嵇公哈湛宾戎勾茅利於呼居揭干但尉冶斯元束"
    "檀衣信展阴昝智幸奉植衡富尧闭由張劉陳楊黃趙吳孫馬鄭謝許韓馮鄧蕭葉蘇呂盧薑鐘鍾譚陸範賈韋鄒閻龍賀顧龔萬錢嚴湯溫齊"
    "喬龐顏莊聶魯歐關蘭寧紀畢單塗駱藍費衛應閔邊師榮叢鞏遲鄺談樂儲雲國門來況鮮戰銀賓幹陰區蔣賴東紅綦"
)
# Family names of two characters whose first one is hardly ever a family name before a given name that starts so.
_SURE_COMPOUNDS = frozenset(
    {
        "欧阳",
        "歐陽",
        "上官",
        "司马",
        "司馬",
        "诸葛",
        "諸葛",
        "司徒",
        "皇甫",
        "慕容",
        "令狐",
        "尉迟",
        "尉遲",
        "宇文",
        "轩辕",
    }
    | {
        "軒轅",
        "端木",
        "呼延",
        "澹台",
        "淳于",
        "濮阳",
        "濮陽",
        "申屠",
        "公孙",
        "公孫",
        "赫连",
        "赫連",
        "拓跋",
        "独孤",
        "獨孤",
    }
)
# ... and those that may be one character and the start of a given name: three characters of these are left unsplit.
_UNSURE_COMPOUNDS = frozenset(
    {
        "夏侯",
        "钟离",
        "鍾離",
        "宗政",
        "闻人",
        "聞人",
        "万俟",
        "東方",
        "东方",
        "南宫",
        "南宮",
        "西门",
        "西門",
        "单于",
        "單于",
    }
    | {
        "梁丘",
        "左丘",
        "百里",
        "长孙",
        "長孫",
        "鲜于",
        "鮮于",
        "东郭",
        "南门",
        "第五",
        "闾丘",
        "司空",
        "完颜",
        "纳兰",
        "仲孙",
    }
)
_COMPOUNDS = _SURE_COMPOUNDS | _UNSURE_COMPOUNDS
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002ebef]+")
_GROUP = re.compile(
    r"(?:编辑部|編輯部|课题组|課題組|协作组|協作組|研究组|工作组|专家组|委员会|委員會|学会|學會|协会|協會|分会|分會|学组|學組|联盟|医院|醫院"
    r"|大学|大學|学院|研究所|研究院|中心|公司|出版社|卫生部|办公室|杂志社|group|committee|society|association|consortium"
    r"|collaborat\w+|investigators)$",
    re.IGNORECASE,
)
# [1,2]  (1)  ①  *  △  ~1  and bare digits right behind a name. Possessive, and looked for in a name's end only: a line
# of digits would else be taken apart in every possible way.
_MARKS = re.compile(
    r"(?:\s*+(?:[\[［(（][\d\s,，、*△#]++[\]］)）]|[~^]?+[\d*＊△▲#①-⑳¹²³⁰-⁹†‡§]++(?:[,，、]\d++)*+))++$"
)
_LONGEST_MARKS = 80  # characters
# Possessive and bound to the beginning of the blanks: a line of a million blanks costs no more than it is long.
_CUT = re.compile(r"(?<![\s,，;；、.])[\s,，;；、.]*+(?:等|(?<![A-Za-z])et\.?\s*+al\.?)[\s,，;；、.]*+$", re.IGNORECASE)
_SHORT = re.compile(r"([^\W\d_][\w'’-]+) ([A-Z]{1,3})")  # "ZHANG W"; a longer name without a comma is left whole
_PARTICLES = frozenset(
    {"van", "von", "de", "der", "den", "la", "le", "di", "da", "del", "dos", "ten", "ter", "bin", "al"}
)
_SEMICOLONS = re.compile(r"[;；\n]+")
_COMMAS = re.compile(r"[,，、](?![\d\s,，、]{0,80}[\]］)）])")  # bound: a line of commas costs no more than it is long


def authors(text: str) -> tuple[tuple[Author, ...], bool]:
    """Split a list of authors.

    Parameters
    ----------
    text : str
        As printed; names separated by ``;``, ``；``, line ends, or by commas when no semicolon is there and the parts
        are whole names.

    Returns
    -------
    names : tuple of Author
        ``printed`` without the marks of affiliations.
    cut : bool
        True when the list ends in 等 or "et al.".

    Examples
    --------
    >>> names, cut = authors("张伟[1,2];欧阳芳;Kim, Judy S;等")
    >>> [(one.printed, one.family, one.given) for one in names], cut
    ([('张伟', '张', '伟'), ('欧阳芳', '欧阳', '芳'), ('Kim, Judy S', 'Kim', 'Judy S')], True)
    >>> [one.printed for one in authors("张伟,王芳")[0]]
    ['张伟', '王芳']
    """
    shortened = _CUT.sub("", text)
    # a lone character before 等 is a name of two characters, not a cut list
    cut = (
        shortened != text
        and re.search(r"(?:\A|[\s,，;；、])[\u4e00-\u9fff]\Z", shortened) is None
        and bool(shortened.strip())
    )
    parts = [part for chunk in _SEMICOLONS.split(shortened if cut else text) for part in _by_commas(chunk)]
    return tuple(_author(part) for part in parts), cut


def _by_commas(chunk: str) -> list[str]:
    chunk = chunk.strip(" \t\u3000,，、")
    if not chunk:
        return []
    if "," not in chunk and "，" not in chunk and "、" not in chunk:
        return [chunk]
    parts = [part.strip() for part in _COMMAS.split(chunk)]
    parts = [part for part in parts if part]
    if len(parts) > 1 and (any(_HAN.match(part) for part in parts) or _are_whole_names(parts)):
        return parts
    return [chunk]


def _are_whole_names(parts: list[str]) -> bool:
    """Whether parts between commas are names of their own ("Zhang Wei, Wang Fang") and not family and given name."""
    return all(" " in part for part in parts) and parts[0].split()[0].lower() not in _PARTICLES


@lru_cache(maxsize=4096)
def _author(printed: str) -> Author:
    if len(printed) <= 3 and _HAN.fullmatch(printed):
        family, given = chinese_name(printed)
        return Author(printed=printed, family=family, given=given)
    name = (printed[:-_LONGEST_MARKS] + _MARKS.sub("", printed[-_LONGEST_MARKS:])).strip() or printed.strip()
    if _GROUP.search(name) and not (_HAN.fullmatch(name) and len(name) <= 3):
        return Author(printed=name, collective=True)
    if _HAN.fullmatch(name):
        family, given = chinese_name(name)
        return Author(printed=name, family=family, given=given)
    family, comma, given = name.partition(",")
    if comma and family.strip() and given.strip():
        return Author(printed=name, family=family.strip(), given=given.strip())
    if (short := _SHORT.fullmatch(name)) is not None:
        return Author(printed=name, family=short[1], initials=short[2])
    return Author(printed=name)


def chinese_name(name: str) -> tuple[str, str]:
    """Split a name in Chinese characters into family and given name; both empty when that is not sure.

    >>> chinese_name("张伟"), chinese_name("欧阳娜娜"), chinese_name("夏侯婷"), chinese_name("范徐丽泰")
    (('张', '伟'), ('欧阳', '娜娜'), ('', ''), ('', ''))
    """
    if len(name) in (3, 4) and name[:2] in _SURE_COMPOUNDS:
        return name[:2], name[2:]
    if len(name) == 4 and name[:2] in _UNSURE_COMPOUNDS:
        return name[:2], name[2:]
    if len(name) not in (2, 3) or name[0] not in _FAMILIES or name[:2] in _COMPOUNDS:
        return "", ""
    return name[0], name[1:]
