# SPDX-License-Identifier: Apache-2.0
"""Chinese characters as the letters a database prints for them: pinyin of names and journals, one form of characters.

The first 3,755 characters of GB 2312 are ordered by their pinyin, so that the syllable of a character follows from its
place between the first characters of two syllables; what a name reads differently, and name characters outside that
list, stand in small tables. Where a character has several readings all are given; where none is known, none is
guessed.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from typing import Final

__all__ = ["COMPOUND_SURNAMES", "is_han", "romanised", "simplified", "surname_readings", "syllables"]

# Every syllable with the first character that bears it in the order of GB 2312, level 1.
_FIRST: Final = (
    "a啊 ai埃 an鞍 ang肮 ao凹 ba芭 bai白 ban斑 bang邦 bao苞 bei杯 ben奔 beng崩 bi逼 bian鞭 biao标 bie鳖 "
    "bin彬 bing兵 "
    "bo玻 bu捕 ca擦 cai猜 can餐 cang苍 cao操 ce厕 ceng层 cha插 chai拆 chan搀 chang昌 chao超 che车 chen郴 "
    "cheng撑 chi吃 "
    "chong充 chou抽 chu初 chuai揣 chuan川 chuang疮 chui吹 chun春 chuo戳 ci疵 cong聪 cou凑 cu粗 cuan蹿 cui摧 "
    "cun村 cuo磋 "
    "da搭 dai呆 dan耽 dang当 dao刀 de德 deng蹬 di堤 dian颠 diao碉 die跌 ding丁 diu丢 dong东 dou兜 du都 "
    "duan端 dui堆 dun墩 "
    "duo掇 e蛾 en恩 er而 fa发 fan藩 fang坊 fei菲 fen芬 feng丰 fo佛 fou否 fu夫 ga噶 gai该 gan干 gang冈 gao篙 "
    "ge哥 gei给 "
    "gen根 geng耕 gong工 gou钩 gu辜 gua刮 guai乖 guan棺 guang光 gui瑰 gun辊 guo锅 ha哈 hai骸 han酣 hang夯 "
    "hao壕 he呵 "
    "hei嘿 hen痕 heng哼 hong轰 hou喉 hu呼 hua花 huai槐 huan欢 huang荒 hui灰 hun荤 huo豁 ji击 jia枷 jian歼 "
    "jiang僵 jiao蕉 "
    "jie揭 jin巾 jing荆 jiong炯 jiu揪 ju鞠 juan捐 jue撅 jun均 ka喀 kai开 kan刊 kang康 kao考 ke坷 ken肯 "
    "keng坑 kong空 "
    "kou抠 ku枯 kua夸 kuai块 kuan宽 kuang匡 kui亏 kun坤 kuo括 la垃 lai莱 lan蓝 lang琅 lao捞 le勒 lei雷 "
    "leng棱 li厘 lia俩 "
    "lian联 liang粮 liao撩 lie列 lin琳 ling拎 liu溜 long龙 lou楼 lu芦 lv驴 luan峦 lve掠 lun抡 luo萝 ma妈 "
    "mai埋 man瞒 "
    "mang芒 mao猫 me么 mei玫 men门 meng萌 mi眯 mian棉 miao苗 mie蔑 min民 ming明 miu谬 mo摸 mou谋 mu拇 na拿 "
    "nai氖 nan男 "
    "nang囊 nao挠 ne呢 nei馁 nen嫩 neng能 ni妮 nian蔫 niang娘 niao鸟 nie捏 nin您 ning柠 niu牛 nong脓 nu奴 "
    "nv女 nuan暖 "
    "nve虐 nuo挪 o哦 ou欧 pa啪 pai拍 pan攀 pang乓 pao抛 pei呸 pen喷 peng砰 pi坯 pian篇 piao飘 pie撇 pin拼 "
    "ping乒 po坡 "
    "pou剖 pu扑 qi期 qia掐 qian牵 qiang枪 qiao橇 qie切 qin钦 qing青 qiong琼 qiu秋 qu趋 quan圈 que缺 qun裙 "
    "ran然 rang瓤 "
    "rao饶 re惹 ren壬 reng扔 ri日 rong戎 rou揉 ru茹 ruan软 rui蕊 run闰 ruo若 sa撒 sai腮 san三 sang桑 sao搔 "
    "se瑟 sen森 "
    "seng僧 sha莎 shai筛 shan珊 shang墒 shao梢 she奢 shen砷 sheng声 shi师 shou收 shu蔬 shua刷 shuai摔 "
    "shuan栓 shuang霜 "
    "shui谁 shun吮 shuo说 si斯 song松 sou搜 su苏 suan酸 sui虽 sun孙 suo蓑 ta塌 tai胎 tan坍 tang汤 tao掏 "
    "te特 teng藤 ti梯 "
    "tian天 tiao挑 tie贴 ting厅 tong通 tou偷 tu凸 tuan湍 tui推 tun吞 tuo拖 wa挖 wai歪 wan豌 wang汪 wei威 "
    "wen瘟 weng嗡 "
    "wo挝 wu巫 xi昔 xia瞎 xian掀 xiang相 xiao萧 xie楔 xin薪 xing星 xiong兄 xiu休 xu墟 xuan轩 xue靴 xun勋 "
    "ya压 yan焉 "
    "yang殃 yao邀 ye椰 yi一 yin茵 ying英 yo哟 yong拥 you幽 yu迂 yuan鸳 yue曰 yun耘 za匝 zai栽 zan攒 zang赃 "
    "zao遭 ze责 "
    "zei贼 zen怎 zeng增 zha扎 zhai摘 zhan瞻 zhang樟 zhao招 zhe遮 zhen珍 zheng蒸 zhi芝 zhong中 zhou舟 zhu珠 zhua抓 "
    "zhuai拽 zhuan专 zhuang桩 zhui椎 zhun谆 zhuo捉 zi兹 zong鬃 zou邹 zu租 zuan钻 zui嘴 zun尊 zuo昨"
)

# Characters of names, journals and titles outside level 1.
_FURTHER: Final = (
    "an谙 ao翱 bao葆 bei蓓 bi璧毖 bian卞 bin缤斌 bo铂 chen谌琛 cheng晟铖 chi墀 chun莼 cong骢 da妲 dan丹聃 "
    "di玓 dong崬 "
    "fan樊 fei霏斐绯 feng沣沨 fu芙馥 gan淦 gao郜杲 geng赓 gong龚 gu顾 guan莞 gui珪妫 guo帼 han菡晗 "
    "hao昊皓灏颢 he曷 "
    "heng珩姮 hong泓闳 hou郈 hua骅桦铧 huan寰 hui晖珲蕙荟 ji冀暨佶姞 jia珈 jian謇 jiang绛 jiao姣 jie婕颉 jin瑾晋缙 "
    "jing菁婧靓璟 jiong迥 ju琚 juan隽 jue珏 jun珺隽 kai恺锴 kan阚 kang伉 ke珂轲恪 kuang邝 kui逵 lan岚 "
    "lang阆 lei蕾嫘 "
    "li骊俪郦 lian琏 lin麟粼 ling泠苓 liu浏 lu璐鹭潞 luo珞 mei湄 meng濛 mi芈 miao淼缪 min旻玟珉闵岷 "
    "ming茗铭 mo茉 mu沐穆 "
    "ni倪 ning甯 ou瓯 pan攀 pei霈 peng芃 pu濮璞 qi琦琪祺淇绮杞祁 qian芊茜 qiang嫱 qiao谯 qin覃芩 qing卿 "
    "qiong琼 qiu裘 "
    "qu瞿璩 quan荃诠 ran苒 rong嵘镕 rou蹂 ru汝 rui芮睿 run润 sha莎 shan姗 shang殇 shen莘燊 sheng晟 shi轼 "
    "shu姝 shuo硕 "
    "si偲 song嵩 tan郯昙 tao韬 tian恬 ting婷 tong仝佟彤 tu屠 wan琬 wang罔 wei炜玮韡薇巍 wen雯汶 wu邬芜 "
    "xi曦希郗奚熹茜 "
    "xia遐 xian娴冼暹 xiang骧 xiao筱骁潇 xin昕鑫忻歆馨 xing邢荥 xiong熊 xiu岫 xu旭胥栩煦诩 xuan璇瑄萱暄 "
    "xue薛 xun荀恂珣洵 "
    "yan妍嫣琰鄢闫晏燕 yang旸 yao珧 ye晔烨邺 yi怡祎懿轶熠弋奕羿 yin尹殷胤 ying莹瑛滢瀛颖璎 yong雍 you攸 "
    "yu钰瑜昱煜妤彧毓禹 "
    "yuan媛沅垣 yue玥樾 yun芸昀筠 ze泽 zeng曾 zhai翟 zhan詹 zhang璋 zhao钊 zhe喆 zhen臻祯 zheng峥铮 zhi芷祉 "
    "zhong仲 "
    "zhu竺 zhuang庄 zhuo倬 zi梓孜 zong宗 zou邹 zu祖 ban癍 chuang疮 dian癫 bi痹 dan胆 jing痉 lin淋 nue疟 xian痫"
)

# Readings beside that of the list: as a surname (first) and elsewhere.
_SURNAME_READINGS: Final = (
    "单shan 仇qiu 解xie 查zha,cha 曾zeng 盖ge,gai 朴piao,pu,park 区ou,qu 任ren 翟zhai,di 尉yu,wei 乐yue,le "
    "覃qin,tan 缪miao,mou 华hua "
    "纪ji 葛ge 宁ning 燕yan 薛xue 黑he,hei 折she,zhe 召shao,zhao 那na,ne 员yun,yuan 郇xun,huan 洗xian,xi "
    "冼xian 种chong,zhong "
    "重chong 祭zhai,ji 繁po,fan 秘bi,mi 逄pang 车che 晁chao 晟cheng,sheng 应ying 过guo 哈ha 句gou,ju 佴nai "
    "撒sa 隗wei,kui "
    "相xiang 幸xing 於yu 万wan 牟mou,mu 卜bu,bo 柏bai,bo 贾jia 訾zi 谌chen,shen 阚kan 臧zang 藏zang "
    "长chang,zhang 都du 洪hong "
    "石shi 沈shen 吕lv 肖xiao 萧xiao 付fu 傅fu 闫yan 阎yan 邵shao 佘she 郝hao 瞿qu 麻ma 褚chu 戚qi 滕teng "
    "蔺lin 郄qie,xi 亓qi "
    "厍she 仉zhang 缑gou 楚chu 胥xu 蒯kuai 邸di 荆jing 栗li 鞠ju 巩gong 苑yuan 桂gui 蔚yu,wei 商shang 芦lu "
    "鹿lu 揭jie 敖ao 茅mao "
    "吉ji 练lian 岑cen 粟su 禤xuan 麦mai 庾yu 甄zhen 宓mi,fu 嵇ji 鲍bao 麴qu 惠hui"
)
_OTHER_READINGS: Final = (
    "长chang,zhang 乐le,yue 重zhong,chong 行xing,hang 朝chao,zhao 盛sheng 茜qian,xi 娜na,nuo 柏bai,bo "
    "藏cang,zang 传chuan,zhuan "
    "晟sheng,cheng 隽jun,juan 晃huang 调tiao,diao 调diao,tiao 曲qu 佛fo,fu 厦sha,xia 大da,dai 会hui,kuai "
    "期qi 系xi 的de 率lv 参can,shen "
    "和he,huo 给gei,ji 没mei 都du,dou 宿su 车che 适shi 弹dan,tan 斗dou 泌mi,bi 卒zu,cu 血xue 脉mai,mo "
    "便bian,pian 模mo,mu 合he,ge "
    "圈quan,juan 菌jun 畜xu,chu 正zheng 中zhong 育yu 奇qi 俊jun 若ruo 蔓man,wan 莎sha,suo 芊qian 颉jie,xie "
    "单dan,shan 曾zeng,ceng 省sheng,xing"
)
# Spellings of Hong Kong and Taiwan that are common in print.
_ABROAD: Final = (
    "陈chan 李lee,li 王wong 黄wong,huang 张cheung,chang 林lam 吴ng 刘lau 周chow,chou 何ho 郑cheng "
    "谢tse,hsieh 梁leung 郭kwok,kuo "
    "徐tsui,hsu 蔡tsai,choi 许hsu,hui 曾tseng,tsang 赵chao,chiu 萧hsiao,siu 曹tsao 朱chu 邱chiu 江chiang "
    "蒋chiang 罗lo,law 叶yeh,yip "
    "杨yeung 邓tang,teng 余yu,yue 潘poon 冯fung 苏so 卢lo,lu 胡wu,hu 高ko 孙suen 吕lu,lui 廖liao,liu 施shih "
    "洪hung 简chien 钟chung"
)

_COMPOUND: Final = (
    "欧阳 司马 上官 诸葛 司徒 东方 皇甫 尉迟 公孙 慕容 令狐 夏侯 宇文 长孙 轩辕 端木 独孤 南宫 西门 百里 "
    "呼延 赫连 澹台 闻人 "
    "钟离 公羊 申屠 太史 仲孙 鲜于 闾丘 濮阳 淳于 单于 司空 乐正 拓跋 完颜 纳兰 东郭 第五"
)
COMPOUND_SURNAMES: Final = frozenset(_COMPOUND.split())

# Traditional and variant characters of names, journals and medical titles, each before its simplified form.
_PAIRS: Final = (
    "張张陳陈劉刘黃黄楊杨趙赵吳吴鄭郑孫孙馬马許许鄧邓馮冯蕭萧葉叶蘇苏盧卢賈贾鄒邹譚谭閻阎錢钱龍龙萬万賀贺"
    "賴赖龔龚陸陆嚴严顧顾"
    "歐欧韓韩羅罗謝谢蔣蒋譙谯鍾钟鐘钟湯汤喬乔莊庄齊齐魯鲁紀纪關关單单覃覃梁梁戴戴邊边畢毕聶聂諸诸鮑鲍費费"
    "倪倪談谈應应麥麦龐庞儲储"
    "簡简勞劳溫温遊游鄔邬塗涂華华國国學学會会醫医藥药雜杂誌志實实驗验臨临床床診诊療疗療疗護护內内兒儿婦妇"
    "產产傳传統统與与對对於于"
    "從从為为個个這这進进過过還还達达運运選选適适連连適适關关係系種种類类細细胞胞免免疫疫減减少少症症紫紫"
    "癜癜濾滤凝凝調调節节異异"
    "現现發发髮发見见觀观規规視视覺觉測测試试評评價价報报導导論论談谈議议證证識识認认記记設设計计訊讯詞词"
    "語语課课讀读變变讓让質质"
    "資资貧贫責责購购費费賓宾賢贤贊赞輸输轉转較较輕轻輔辅農农遠远遲迟遺遗邏逻鄉乡釋释針针鈣钙鐵铁銅铜鋅锌"
    "鋼钢錄录鎮镇鏡镜長长門门"
    "開开間间閉闭聞闻陽阳陰阴階阶際际隊队險险隨随隱隐雙双難难離离電电靈灵靜静響响項项順顺須须預预頭头頻频"
    "題题額额顏颜願愿風风飛飞"
    "飲饮餘余養养館馆駿骏驟骤體体髓髓鬥斗魚鱼鮮鲜鳥鸟鳳凤鴻鸿鶴鹤鹽盐麗丽黨党點点齡龄龜龟亞亚來来侶侣偉伟"
    "傑杰備备傷伤優优億亿"
    "兩两凍冻處处別别則则創创劑剂劃划動动務务勝胜勢势勵励區区協协卻却參参員员問问啟启喪丧單单嗎吗團团圍围"
    "園园圓圆圖图場场壓压壞坏"
    "壽寿夢梦奪夺奧奥婁娄孿孪孫孙寧宁審审寫写寬宽將将專专尋寻導导層层屬属島岛峽峡嶺岭帥帅師师帶带幫帮幾几"
    "庫库廠厂廣广廳厅張张強强"
    "彈弹後后徑径復复複复徵征德德恆恒惡恶愛爱態态慶庆憲宪應应懷怀戰战戶户掃扫採采換换揚扬損损搶抢擔担據据"
    "擴扩擬拟攝摄數数敵敌斷断"
    "時时晉晋曆历歷历書书條条極极構构樣样標标樹树機机權权歡欢歲岁殘残殺杀氣气決决沒没沖冲況况洩泄淚泪淨净"
    "淺浅渾浑湖湖滅灭準准溝沟"
    "滿满漢汉漸渐潔洁澤泽濃浓濕湿濟济灣湾災灾無无熱热燒烧營营爭争狀状獨独獲获環环產产畫画當当療疗瘧疟癌癌"
    "癢痒發发盡尽監监盤盘眾众"
    "瞭了矯矫確确礎础祕秘禮礼稱称積积穩稳窮穷範范築筑簡简糧粮糾纠約约紅红純纯級级紋纹組组結结絕绝給给絡络"
    "經经綜综維维綱纲網网緊紧"
    "線线緣缘編编練练縣县縮缩縱纵總总績绩繼继續续纖纤纜缆罰罚聖圣聯联聲声職职聽听肅肃腎肾腦脑腫肿腸肠膚肤"
    "膠胶膽胆膿脓臟脏臉脸臺台"
    "舉举舊旧艦舰藝艺蘭兰虛虚號号虧亏術术衛卫衝冲補补裝装製制複复覆覆觸触訂订訓训託托詢询該该詳详誤误說说"
    "請请諾诺諮咨謀谋講讲謹谨"
    "譜谱譯译議议讚赞貝贝負负財财貢贡販贩貫贯貴贵買买貿贸賣卖賦赋賽赛趨趋跡迹踐践車车軌轨軍军軟软軸轴載载"
    "輪轮輯辑輻辐辦办辭辞適适"
    "遞递遷迁選选遺遗郵邮鄰邻醬酱釀酿銀银鋒锋錯错鍵键鎖锁鑑鉴鑒鉴閱阅闆板闊阔隸隶雖虽霧雾韌韧頁页頂顶領领"
    "頸颈顆颗顯显飾饰驅驱驗验"
    "騰腾骯肮髒脏鬆松鬱郁鯉鲤鵬鹏麼么黴霉蹟迹瀾澜瑩莹瑋玮禎祯縉缙繽缤綺绮瓊琼璣玑嬋婵媯妫嫻娴潁颍穎颖曉晓"
    "暉晖曄晔燁烨煒炜輝辉"
    "軒轩軻轲鈞钧銘铭鋭锐銳锐錦锦鑫鑫閔闵閩闽雲云霽霁韜韬頡颉頤颐顥颢飆飙馳驰駒驹驊骅驍骁麟麟鳴鸣濤涛淩凌"
    "滬沪瀋沈灃沣沖冲澄澄恵惠"
    "囘回羣群峯峰裏里裡里啓启週周併并並并佔占佈布彷仿跡迹癥症鈎钩嵗岁衆众産产內内"
)

_COMPOUND_READINGS: Final = {"尉迟": "yuchi", "单于": "chanyu", "长孙": "zhangsun"}

_BOUNDS = tuple(entry[-1].encode("gb2312") for entry in _FIRST.split())
_NAMES = tuple(entry[:-1] for entry in _FIRST.split())
_LAST = b"\xd7\xf9"


def _table(text: str) -> dict[str, tuple[str, ...]]:
    return {entry[0]: tuple(entry[1:].split(",")) for entry in text.split()}


def _further() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for entry in _FURTHER.split():
        letters = "".join(character for character in entry if character.isascii())
        for character in entry[len(letters) :]:
            found[character] = (*found.get(character, ()), letters)
    return found


_FURTHER_READINGS = _further()
_SURNAMES = _table(_SURNAME_READINGS)
_OTHERS = _table(_OTHER_READINGS)
_FOREIGN = _table(_ABROAD)
_FOLD = str.maketrans({_PAIRS[i]: _PAIRS[i + 1] for i in range(0, len(_PAIRS), 2)})


def is_han(character: str) -> bool:
    """Tell whether a character is a Chinese one.

    >>> is_han("张"), is_han("z")
    (True, False)
    """
    return "㐀" <= character <= "鿿" or "豈" <= character <= "﫿"


def simplified(text: str) -> str:
    """Return the text with the traditional characters of the table replaced by the simplified ones.

    >>> simplified("張偉：臨床觀察")
    '张伟：临床观察'
    """
    return text.translate(_FOLD)


@lru_cache(maxsize=8192)
def syllables(character: str) -> tuple[str, ...]:
    """Return the pinyin readings of a simplified character, without tones and with v for u-umlaut; () when unknown.

    >>> syllables("伟"), syllables("长"), syllables("鑫"), syllables("吕")
    (('wei',), ('chang', 'zhang'), ('xin',), ('lv',))
    """
    if character in _OTHERS:
        return _OTHERS[character]
    try:
        code = character.encode("gb2312")
    except UnicodeEncodeError:
        code = b""
    if len(code) == 2 and _BOUNDS[0] <= code <= _LAST:
        return (_NAMES[bisect_right(_BOUNDS, code) - 1],)
    return _FURTHER_READINGS.get(character, ())


@lru_cache(maxsize=8192)
def surname_readings(surname: str) -> frozenset[str]:
    """Return the spellings in Latin letters of a simplified surname, compound ones too; empty when unknown.

    >>> sorted(surname_readings("单")), sorted(surname_readings("欧阳")), sorted(surname_readings("吕"))
    (['shan'], ['ouyang'], ['lu', 'lui', 'lv', 'lyu'])
    """
    if len(surname) > 1:
        parts = [syllables(character) for character in surname]
        spelt = {""}
        for part in parts:
            spelt = {start + end for start in spelt for end in part}
        if surname in _COMPOUND_READINGS:
            spelt = {_COMPOUND_READINGS[surname]}
        return frozenset(spelt - {""})
    found = set(_SURNAMES.get(surname) or syllables(surname)) | set(_FOREIGN.get(surname, ()))
    for name in tuple(found):
        if "v" in name:
            found |= {name.replace("v", "u"), name.replace("v", "yu")}
    return frozenset(found)


@lru_cache(maxsize=8192)
def romanised(text: str) -> str:
    """Return a text's first readings in one word, for journals: the pinyin title is printed with or without spaces.

    >>> romanised("中华血液学杂志")
    'zhonghuaxueyexuezazhi'
    """
    return "".join((syllables(character) or ("?",))[0] if is_han(character) else character for character in text)
