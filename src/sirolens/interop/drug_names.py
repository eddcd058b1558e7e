# SPDX-License-Identifier: Apache-2.0
"""Which drug a written name means: English, Chinese and a few trade names, brought to one non-proprietary name.

Sirolimus has two names in use, sirolimus 西罗莫司 and rapamycin 雷帕霉素, and several look-alikes: tacrolimus 他克莫司,
everolimus, temsirolimus. A level or a prescription of a look-alike is never taken for sirolimus.
"""

from __future__ import annotations

from types import MappingProxyType

from sirolens.interop.numbers import plain_width

__all__ = ["DRUGS", "LOOK_ALIKES", "SIROLIMUS", "drug_name"]

SIROLIMUS = "sirolimus"

LOOK_ALIKES = frozenset({"tacrolimus", "everolimus", "temsirolimus", "zotarolimus", "ridaforolimus", "pimecrolimus"})
"""Drugs whose names are taken for sirolimus."""

DRUGS = MappingProxyType(
    {
        SIROLIMUS: ("西罗莫司", "雷帕霉素", "rapamycin", "rapamune", "雷帕鸣", "rapa"),
        "anti-d immunoglobulin": ("anti-d", "anti-d ig", "抗d免疫球蛋白", "抗-d免疫球蛋白", "rho(d) immunoglobulin"),
        "tacrolimus": ("他克莫司", "fk506", "fk-506", "prograf", "普乐可复"),
        "everolimus": ("依维莫司", "certican", "afinitor", "飞尼妥"),
        "temsirolimus": ("替西罗莫司", "坦西莫司", "torisel"),
        "zotarolimus": ("佐他莫司",),
        "ridaforolimus": (),
        "pimecrolimus": ("吡美莫司",),
        # what changes sirolimus
        "avatrombopag": ("阿伐曲泊帕",),
        "azithromycin": ("阿奇霉素",),
        "boceprevir": ("波普瑞韦",),
        "cannabidiol": ("大麻二酚",),
        "carbamazepine": ("卡马西平",),
        "ciclosporin": ("环孢素", "环孢霉素", "环孢素a", "cyclosporine", "cyclosporin", "cyclosporin a", "csa"),
        "clarithromycin": ("克拉霉素",),
        "danazol": ("达那唑",),
        "dexamethasone": ("地塞米松",),
        "diltiazem": ("地尔硫䓬", "地尔硫卓"),
        "dronedarone": ("决奈达隆",),
        "eltrombopag": ("艾曲泊帕", "艾曲波帕"),
        "erythromycin": ("红霉素",),
        "fluconazole": ("氟康唑",),
        "fostamatinib": ("福他替尼",),
        "glycyrrhizin": ("甘草酸", "甘草酸苷", "复方甘草酸苷"),
        "grapefruit juice": ("葡萄柚汁", "西柚汁", "葡萄柚", "grapefruit"),
        "hetrombopag": ("海曲泊帕",),
        "immunoglobulin": ("ivig", "静注人免疫球蛋白", "丙种球蛋白", "人免疫球蛋白", "intravenous immunoglobulin"),
        "isavuconazole": ("艾沙康唑",),
        "itraconazole": ("伊曲康唑",),
        "ketoconazole": ("酮康唑",),
        "letermovir": ("来特莫韦",),
        "micafungin": ("米卡芬净",),
        "mycophenolate": ("吗替麦考酚酯", "霉酚酸酯", "mycophenolate mofetil", "mycophenolic acid"),
        "ombitasvir/paritaprevir/ritonavir": (),
        "oxcarbazepine": ("奥卡西平",),
        "phenobarbital": ("苯巴比妥",),
        "phenytoin": ("苯妥英", "苯妥英钠"),
        "posaconazole": ("泊沙康唑",),
        "prednisolone": ("泼尼松龙", "强的松龙"),
        "prednisone": ("泼尼松", "强的松"),
        "rifabutin": ("利福布汀",),
        "rifampicin": ("利福平", "rifampin"),
        "rifapentine": ("利福喷丁",),
        "ritonavir": ("利托那韦",),
        "rituximab": ("利妥昔单抗", "美罗华"),
        "romiplostim": ("罗普司亭", "罗米司亭"),
        "silymarin": ("水飞蓟素", "水飞蓟宾"),
        "st john's wort": ("贯叶连翘", "圣约翰草", "st. john's wort", "hypericum", "hypericum perforatum"),
        "verapamil": ("维拉帕米",),
        "voriconazole": ("伏立康唑",),
        "wuzhi capsule": ("五酯胶囊", "wuzhi", "schisandra"),
        # what is given for immune thrombocytopenia besides
        "azathioprine": ("硫唑嘌呤",),
        "cyclophosphamide": ("环磷酰胺",),
        "methylprednisolone": ("甲泼尼龙", "甲基强的松龙"),
        "platelet-transfusion": ("血小板输注", "platelet transfusion"),
        "rhtpo": ("重组人血小板生成素", "特比澳"),
        "vincristine": ("长春新碱",),
        # what is often given beside it
        "acyclovir": ("阿昔洛韦", "aciclovir"),
        "allopurinol": ("别嘌醇",),
        "amlodipine": ("氨氯地平",),
        "amoxicillin": ("阿莫西林",),
        "atorvastatin": ("阿托伐他汀",),
        "bismuth": ("铋剂", "枸橼酸铋钾", "bismuth potassium citrate"),
        "calcium": ("碳酸钙", "钙片"),
        "entecavir": ("恩替卡韦",),
        "esomeprazole": ("艾司奥美拉唑", "埃索美拉唑"),
        "ezetimibe": ("依折麦布",),
        "fenofibrate": ("非诺贝特",),
        "folic acid": ("叶酸",),
        "furazolidone": ("呋喃唑酮",),
        "hydroxychloroquine": ("羟氯喹",),
        "lansoprazole": ("兰索拉唑",),
        "levofloxacin": ("左氧氟沙星",),
        "levothyroxine": ("左甲状腺素",),
        "metformin": ("二甲双胍",),
        "metronidazole": ("甲硝唑",),
        "omeprazole": ("奥美拉唑",),
        "pantoprazole": ("泮托拉唑",),
        "paracetamol": ("对乙酰氨基酚", "acetaminophen"),
        "rabeprazole": ("雷贝拉唑",),
        "rosuvastatin": ("瑞舒伐他汀",),
        "simvastatin": ("辛伐他汀",),
        "tetracycline": ("四环素",),
        "tranexamic acid": ("氨甲环酸",),
        "trimethoprim/sulfamethoxazole": ("复方磺胺甲噁唑", "co-trimoxazole"),
    }
)
"""Non-proprietary name -> other spellings, lower case."""

_BY_SPELLING = {spelling: name for name, others in DRUGS.items() for spelling in (name, *others)}


def drug_name(text: str) -> str | None:
    """Return the non-proprietary name of a written drug; None when the spelling is not in the list.

    >>> drug_name("雷帕霉素"), drug_name(" Tacrolimus "), drug_name("vitamin X")
    ('sirolimus', 'tacrolimus', None)
    """
    plain = " ".join(plain_width(text).lower().split())
    return _BY_SPELLING.get(plain)
