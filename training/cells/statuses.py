"""Status words: which of them say that a row went back, in the words of shop systems and of many languages.

A word counts by its stem. `refunded` takes a row back, and so does what says that it was not paid: `not paid`,
`awaiting payment`. `partially refunded` does not say which part, so the row is kept, and so is what is not known.
"""

# ruff: noqa: RUF001 - letters of other scripts are meant

from collections.abc import Collection
from typing import Literal

from training.cells.words import fold_words

Meaning = Literal["taken back", "kept", "unknown"]
TAKEN_BACK: Meaning = "taken back"

_BACK = fold_words("""
    refund return cancel void expire chargeback fail declin reject denied abandon trash fraud unpaid reversed holded
    onhold draft autodraft incomplete deleted
    storn ruckerstatt erstatt abgebroch zuruck retour gutschrift fehlgeschlag abgelehnt gescheitert unbezahlt
    widerrufen gelöscht
    annul rembours échou échec refus abandonn impay supprim
    anul cancelad reembols devuelt devolu rechazad fallid impagad
    rimbors restitu rifiut fallit annullat
    geannuleerd terugbetaal geretourneerd mislukt geweigerd afgewezen onbetaald
    zwrot zwróc odrzucon nieudan nieopłacon
    devolv estorn recusad falhou falhad
    отмен возвра отказ отклон аннулир неоплач неуспеш брошен
    ملغ إلغا الإلغا مسترد مسترجع مرتجع استرجاع الاسترجاع استرداد الاسترداد مرفوض فشل فاشل
    لغو مرجوع برگشت ناموفق کنسل
    iptal iade reddedil başarısız ödenmedi
    zrušen vrácen återbetal makuler kansell avbrut refunder peruut palaut visszatér ακυρ επιστρ
""")
_BACK_WHOLE = frozenset(fold_words("test reso resi error errore fehler erreur hold trash lost rma avoir abono"))
_CREDIT, _NOTE = frozenset(fold_words("credit crédit credito crédito")), frozenset(fold_words("note memo nota"))
_BACK_INSIDE = (
    *("取消", "退款", "退货", "キャンセル", "返品", "返金"),
    *("취소", "환불", "반품", "关闭", "待付款", "等待买家付款", "入金待ち", "未払い"),
)
_PAY = fold_words("""
    pay paid bezahl zahl paiement payé pagad pagat pago pagamento betaal betal opłac płatn оплач оплат
    پرداخت دفع مدفوع ödem ödend ödeni
""")
_WAITS = fold_words("""
    await wait pending pendiente attente attesa warte aussteh offen wacht oczekuj aguard pendente ожида انتظار بانتظار
    bekl
""")
_NOT = frozenset(
    fold_words("not no non nicht kein keine niet geen nie ne pas sin sem senza не без لم غير نه نشده değil")
)
_PART = fold_words(
    "partial partly teilweise partiel parcial parzial gedeeltelijk deels częściow частичн جزئي جزیی kısmi"
)
_KEPT = fold_words("""
    complet process ship deliver fulfil approv purchas bought buy order transaction sale sold ok success succeed pending
    authori captur invoic confirm accept active new open done finish receiv picked pickup packed ready collected settled
    created dispatched placed
    abgeschlossen versend versand versandt geliefert bestätigt erledigt bearbeit
    livr expédi termin valid
    enviad entregad confirmad
    spedit consegnat confermat
    verzond afgerond geleverd voltooid
    zrealizow wysłan dostarczon zakończ
    conclu entregue aprovad
    выполн достав заверш отправ получен
    verkauf rechnung vente factur venta vendita fattur verkoop factuur sprzedaż faktur venda fatura продаж satış
    فروش بيع فاتورة
    مكتمل تم تکمیل ارسال تحویل موفق
    tamam teslim kargo onay
    배송 결제완료 구매확정 발송 완료
    交易成功 已发货 已完成 已付款 卖家已发货 买家已付款 発送 配送 支払済 支払い済 完了
""")


def status_meaning(status: str, returned: Collection[str] = ()) -> Meaning:
    """What a value of `status` says of its row.

    Args:
        status: the value as it is written.
        returned: more values, as the user names them, that take a row back; case and accents do not count.
    """
    words = fold_words(status)
    if words in {fold_words(one) for one in returned}:
        return "taken back"
    back = _any(words, _BACK) or not _BACK_WHOLE.isdisjoint(words) or any(part in status for part in _BACK_INSIDE)
    back = back or not (_CREDIT.isdisjoint(words) or _NOTE.isdisjoint(words))
    denied = not _NOT.isdisjoint(words)
    if back:
        in_part = words[0].startswith(_PART) if words else False
        return "kept" if in_part else "unknown" if denied else "taken back"
    if _any(words, _PAY):
        return "taken back" if denied or _any(words, _WAITS) else "kept"
    return "kept" if _any(words, _KEPT) else "unknown"


def _any(words: Collection[str], stems: tuple[str, ...]) -> bool:
    return any(word.startswith(stems) for word in words)
