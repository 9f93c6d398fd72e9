import pytest

from training.cells.statuses import status_meaning

BACK = """
refunded Refund cancelled canceled CANCELED returned voided expired chargeback
failed trash wc-refunded wc-cancelled on-hold on_hold holded storniert annullato|Order Canceled|Refunded (partial)
payment declined|abandoned|test|pending payment|pending_payment|Awaiting check payment|Payment error|not paid|unpaid
nicht bezahlt|Rückerstattet|Zahlung ausstehend|fehlgeschlagen|zurückgeschickt|Gutschrift
remboursé|Annulée|échoué|refusé|en attente de paiement|cancelado|devuelto|Reembolsada|pago pendiente|anulada|rechazado
rimborsato|reso|rifiutato|in attesa di pagamento|geannuleerd|terugbetaald|geretourneerd|onbetaald
anulowane|Zwrócone|odrzucone|nieopłacone|devolvido|estornado|Cancelada pelo cliente|aguardando pagamento
отменён|Отменено|возврат|не оплачен|ملغي|تم الإلغاء|مسترجع|مرفوض|لغو شده|مرجوعی|پرداخت نشده|ناموفق|لغو‌شده
iptal edildi|İade|ödeme bekleniyor|başarısız|已取消|返品
Credit Note|credit memo|Nota di credito|Nota de crédito|Avoir|Abono
"""
KEPT = """
completed complete paid processing shipped delivered fulfilled authorized pending purchase partially_refunded
partially_paid|Partially Shipped|wc-completed|wc-processing|Payment accepted
bezahlt|abgeschlossen|versendet|payé|livré|Terminée|pagado|enviado|entregado|pagato|spedito|betaald|verzonden
opłacone|wysłane|concluído|entregue|оплачен|доставлен|مدفوع|مكتمل|تکمیل شده|ارسال شد|پرداخت شده|Ödendi|teslim edildi
Verkauf|Rechnung|Vente|Venta|Vendita|verkoop|sprzedaż|продажа|satış|فروش|بيع
"""
UNKNOWN = "closed|unavailable|5|foo|not refunded|Disputed|true|---"


def words(text):
    one_a_word, *lines = text.strip().split("\n")
    return [*one_a_word.split(), *(word for line in lines for word in line.split("|"))]


@pytest.mark.parametrize("status", [one for line in words(BACK) for one in (line.split() if "wc-" in line else [line])])
def test_taken_back(status):
    assert status_meaning(status) == "taken back"


@pytest.mark.parametrize("status", words(KEPT))
def test_kept(status):
    assert status_meaning(status) == "kept"


@pytest.mark.parametrize("status", UNKNOWN.split("|"))
def test_not_known(status):
    assert status_meaning(status) == "unknown"


def test_the_user_names_more():
    assert status_meaning("Fraude", ["fraude", "closed"]) == "taken back"
    assert status_meaning("completed", ["Completed"]) == "taken back"
    assert status_meaning("completed and closed", ["closed"]) == "kept"
    assert status_meaning("", ["closed"]) == "unknown"


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("배송완료", "kept"),
        ("취소", "taken back"),
        ("交易成功", "kept"),
        ("交易关闭", "taken back"),
        ("等待买家付款", "taken back"),
        ("発送完了", "kept"),
        ("入金待ち", "taken back"),
    ],
)
def test_words_of_markets_of_east_asia(status, meaning):
    assert status_meaning(status) == meaning
