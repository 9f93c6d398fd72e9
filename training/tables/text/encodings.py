"""Encodings of text: UTF-8 where the bytes allow it, else the likeliest of those that shops' programs write."""

import codecs
import re
import unicodedata

from recommender.errors import UsageError

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte order mark → encoding; UTF-32's begins with UTF-16's, so the order counts."""
_CANDIDATES = (
    *("cp1252", "cp1251", "cp1250", "iso8859_2", "cp1254", "cp1253", "cp1255", "cp1256", "cp1257", "mac_roman"),
    *("koi8_r", "iso8859_5", "cp850", "cp866", "shift_jis", "gb2312", "big5", "euc_kr", "euc_jp"),
)
"""Of two that fit as well, the first."""
_RARE = {"koi8_r", "iso8859_5", "cp850", "cp866", "mac_roman"}
_RARITY = 0.05
"""What programs of today seldom write has to fit better by this."""
_WIDER = {"shift_jis": "cp932", "gb2312": "gb18030", "euc_kr": "cp949"}
"""What programs write under these names holds more letters; the narrow one tells better whether it is the right one."""
_LETTERS = {
    1.0: "äöüßéèêëàâçîïôûùñáíóúãõåæøœÄÖÜÉÈÊÀÂÇÎÔÑÁÍÓÚÃÕÅÆØŒ",
    0.87: "ğışİĞŞ",
    0.85: "ąćęłńśźżčďěňřšťůýžőűăâșțţĄĆĘŁŃŚŹŻČĎĚŇŘŠŤŮÝŽŐŰėįųūāēīķļņģ",
    0.95: "оеаинтсрвлкмОЕАИНТСРВЛКМαοιετσνηρκΑΟΙΕΤΣΝΗΡΚاليمونرتبهיוהלאמרתשב",
    0.9: (
        "的一是不了在人有我他这这中大来上个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小多天而能好都日发成事只作"
        "用主行方前所本见面公同三已老从动两长知民样现分外些高意进法回二理美点月明种全工名定女问力等业最间新位重电第门相次海口使西平"
        "客户商品产单数量价格购买订编号期绿红茶杯货款付收退送件省市区街路店手机邮箱地址姓备注颜色尺码规红包类型城金额元支付方式完成已"
        "客戶產訂單編號數價購買綠貨區號電話郵總會員顏類別們時為國來這個學發說後過對麼點開關門長東車書見"
        "가각간감강개객거건검게격결경계고공과관교구국군권그금급기김나남내너노녹높누는니다단담당대더데도독동되된두드든들등디라락래량러레력로록료루류르를름리"
        "린림마막만말망매머메면명모목무문물미민바박반발방배백버번법베변별병보복본부북분불비사산살삼상새색생서석선설성세소속송수술스습시식신실심아안앞약"
        "양어업에여역연영예오온옷와완외용우운울원월위유육으은을음의이인일임입있자작잔장재저적전정제조종주준중지직진집차착책처천청체초최추출충취치카컵"
        "顧客番号商品注文日売上個数単価円紅茶緑送料会員店名住所県市町村東京都大阪"
        "のにはをたとがでてしなかるれもらアイウエオカキクケコサシスセソタチツテトナニハヒフホマミムメモラリルレロンッープブドグジバ"
        "코크타터토통트특티파판팔편평포표품프피하학한할함합항해햇행향험현형호홍화확환회효후희"
    ),
    0.2: "ΰΐ",
    0.6: "￥（）：、。「」【】・№€£°§²³½–—…’‘“”„«»®™·×،؛؟\u00a0\u200c\u200d",  # noqa: RUF001
}
"""How likely these are in the texts of shops; other letters of their scripts are a little less so."""
_SCORES = {letter: score for score, letters in _LETTERS.items() for letter in letters}
_ORDINAL = re.compile(r"\W*[A-Za-z]{1,2}\.?[ºª]\W*")
"""`Nº` in Spanish and Portuguese, which would be `Nş` in the encoding of central Europe."""
_FOREIGN = re.compile("õ(?![e])|è[aouy]|œ(?![uiftdns])|[íî]{2}|ø.*[íýáúùìè]|[íýáúùìè].*ø")
"""Letters in an order that no Western word has."""
_CAPITALS = re.compile("^[A-Z]{2,}|[A-Z]{2,}$")
"""`ID` and `SKU` stand beside letters of Chinese, Japanese and Korean without a blank."""
_CJK = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "IDEOGRAPHIC", "HALFWIDTH", "FULLWIDTH")


def known_encoding(name: str) -> str:
    """`name` as Python calls it. Raises UsageError where there is no such encoding of text."""
    try:
        found = codecs.lookup(name)
        "".encode(found.name)
    except LookupError:
        raise UsageError(f"{name!r} is no encoding; give one such as utf-8, windows-1252 or windows-1251") from None
    return found.name


def encoding_of_head(head: bytes) -> str | None:
    """The encoding that a byte order mark or the zero bytes of UTF-16 tell; None where they tell nothing."""
    if marked := next((name for mark, name in _MARKS.items() if head.startswith(mark)), None):
        return marked
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) <= max(1, len(head) // 16) or min(even, odd) > max(even, odd) // 4:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def guess_encoding(sample: bytes) -> str:
    """The likeliest encoding of lines that are not UTF-8."""
    return likely_encodings(sample)[0]


def likely_encodings(sample: bytes, margin: float = 0.0) -> list[str]:
    """The likeliest encoding of lines that are not UTF-8, and those that fit about as well and read them otherwise.

    Args:
        sample: some lines.
        margin: of the likelihoods (at most 1) within which another encoding counts as well.
    """
    found: dict[str, tuple[float, str]] = {}
    for name in _CANDIDATES:
        likelihood = round(_likelihood(sample, name) - _RARITY * (name in _RARE), 2)
        text = sample.decode(name, "replace")
        if text not in found or likelihood > found[text][0]:
            found[text] = likelihood, _WIDER.get(name, name)
    ordered = sorted(found.values(), key=lambda each: -each[0])
    return [name for likelihood, name in ordered if likelihood >= ordered[0][0] - margin]


def _likelihood(sample: bytes, encoding: str) -> float:
    """How much the letters beyond ASCII look like words, at most 1; -1 where the bytes are not of this encoding."""
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return -1.0
    words = [word for word in re.findall(r"[^\s,;|\t\"0-9]+", text) if not word.isascii()]
    scores = [score for word in words for score in _score_letters(word)]
    return sum(scores) / len(scores) if scores else -1.0


def _score_letters(word: str) -> list[float]:
    """A score for each letter beyond ASCII."""
    if _ORDINAL.fullmatch(word):
        return [1.0]
    bare = _CAPITALS.sub("", word)
    if bare and all(_script(letter) == "CJK" for letter in bare):
        word = bare
    letters = "".join(filter(str.isalpha, word))
    scripts = {_script(letter) for letter in letters}
    beyond = [letter for letter in word if not letter.isascii()]
    # Latin words are mostly ASCII: what is not is another script in the wrong encoding
    strange = "LATIN" in scripts and 2 * len(beyond) > len(letters)
    cased = letters in {letters.lower(), letters.upper(), letters.capitalize()}
    # no Western word begins so; Czech ones do, in another encoding
    foreign = word[0] in "èÈìÌ" or word == "Kè" or _FOREIGN.search(word) is not None
    inner = {letter for letter in word[1:-1] if not letter.isalpha() and letter != "’" and len(letters) > 1}  # noqa: RUF001
    penalty = 0.5 * strange + 0.5 * (not cased) + 0.4 * foreign + len(scripts) * (len(scripts) > 1)
    return [_score(letter) - penalty - 0.8 * (letter in inner) for letter in beyond]


def _score(letter: str) -> float:
    script = _script(letter)
    if letter in _SCORES:
        return _SCORES[letter]
    if not letter.isalpha() or script == "LATIN":
        return -0.5
    return 0.5 if script == "CJK" else 0.8


def _script(letter: str) -> str:
    script = unicodedata.name(letter, "?").split()[0].split("-")[0]
    return "CJK" if script in _CJK else script
