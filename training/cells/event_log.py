"""Event logs: files in which only some rows are purchases, noticed by a column of few words for looking and adding."""

# ruff: noqa: RUF001 - letters of other scripts are meant

import shlex
from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from recommender.errors import MissingColumnError, UsageError
from training.cells.findings import Note, Question
from training.cells.source_column import SAMPLE_ROWS
from training.cells.statuses import TAKEN_BACK, status_meaning
from training.cells.words import fold_words

PURCHASE = "__purchase__"
"""Boolean: whether a row is a purchase by what the user says of an event log."""
_SHOWN = 8
MOST_VALUES = 50
"""A column with more values in its head is no column of kinds of events."""
_NO = ("", "0", "0.0", "0.00", "false", "no", "n", "f", "nan", "none", "null", "open")
_YES, _FLAT_NO = frozenset({"1", "true", "yes", "y"}), frozenset({"0", "false", "no", "n"})
_BOUGHT = frozenset({"purchase", "purchased", "bought", "converted", "conversion", "gekauft"})
"""Words of a column that says of each row whether it is a purchase."""
_HEAD_CELLS, _FEWEST_ROWS = 1_000_000, 100
_LOOKING = frozenset(
    fold_words("""
    view views viewed pageview pageviews pv impression impressions viewitem viewcontent addtocart addtobasket addtobag
    просмотр vue vista ansicht visualizzazione görüntüleme مشاهده مشاهدة visualização bekeken wyświetlenie
    seitenaufruf seitenansicht produktaufruf produktansicht aufruf aufgerufen angesehen gesehen consultation consulté
    consulta consultado ver visto visualización visualizado visualizzato просмотрен просмотрено просмотры بازدید
    görüntülendi weergave wyświetlono odsłona 浏览 曝光 閲覧
""")
)
_ADDING = frozenset(
    fold_words("""
    cart basket add added adding remove removed wishlist favorite favourite fav like click clicked clicks search
    searched detail details browse browsed visit visited session scroll see seen watch removefromcart begincheckout
    warenkorb panier carrito carrello корзина sepet سبد سلة winkelwagen koszyk carrinho
    hinzugefügt gelegt besuch besucht visite visita ajout ajouté cesta añadir añadido agregar agregado aggiunto aggiunta
    adicionar adicionado sacola добавление добавлен добавлено корзину визит افزودن اضافه إضافة السلة sepete ekle eklendi
    toegevoegd winkelmand koszyka dodanie dodano 加购 收藏 点击
""")
)
_BUYING = frozenset(
    fold_words("""
    purchase purchased purchases buy bought order ordered orders transaction transactions checkout sale sold paid
    conversion kauf gekauft achat acheté compra comprado acquisto покупка заказ خرید شراء satın aankoop zakup zakończono
    verkauf bestellung bestellt commande commandé vente pedido venta ordine ordinato acquistato vendita venda куплен
    куплено заказано продажа سفارش طلب بيع satıldı sipariş gekocht bestelling besteld zakupiono zamówienie sprzedaż 购买
    下单 支付 購入
""")
)
_STATES = frozenset(
    fold_words("""
    purchased bought ordered sold paid gekauft bestellt acheté commandé comprado acquistato ordinato куплен куплено
    заказано satın satıldı gekocht besteld zakończono zakupiono
""")
)
"""Words for buying that say how an order stands, and not what happened."""
_GIVING_BACK = frozenset(fold_words("refund refunded return returned cancel cancelled canceled rückgabe remboursement"))
_BESIDE = frozenset(
    fold_words("""
    product products item items page to from list content started start begin complete completed placed order the in of
    event user screen promotion select selected ecommerce app email
    produkt produkts artikel dem den der zum au à le la du de produit al el producto articolo prodotto alla nel ao do
    produto товара товар в محصول به کالا إلى المنتج ürün alma alındı aan het produktu
""")
)
_KNOWN = _LOOKING | _ADDING | _BUYING | _GIVING_BACK | _BESIDE


def find_event_logs(heads: Mapping[str, Sequence[str]]) -> list[Question]:
    """The columns whose values are kinds of events, each as the question which of them are purchases.

    Args:
        heads: column → its different values in the head of the file.

    A value counts where all of its words belong to events: `Product Viewed` does, `Lake View` does not.
    """
    questions = []
    for column, values in heads.items():
        kinds = {value: _kind(value) for value in values}
        looking = [value for value, kind in kinds.items() if kind == "looking"]
        adding = [value for value, kind in kinds.items() if kind == "adding"]
        buying = [value for value, kind in kinds.items() if kind == "buying"]
        if len(values) <= MOST_VALUES and (looking or (adding and buying)):
            questions.append(_question(column, (looking or adding)[0], buying, kinds))
        elif (yes := _yes(values)) and set() < set(fold_words(column)) - {"is", "was", "flag"} <= _LOOKING:
            no = next(value for value in values if value != yes)
            seen = f"something that was looked at, of which only those with {no!r} are purchases"
            both = {purchases_where(column, [no, yes]): "a purchase, as every row is"}
            questions.append(Question("event_log", column, yes, {purchases_where(column, [no]): seen, **both}))
        elif (yes := _yes(values)) and set() < set(fold_words(column)) - {"is", "was", "flag"} <= _BOUGHT:
            no = next(value for value in values if value != yes)
            meaning = f"no purchase, where {yes!r} says that there was one"
            questions.append(Question("event_log", column, no, {purchases_where(column, [yes]): meaning}))
    return questions


def _yes(values: Sequence[str]) -> str | None:
    """The value that says yes, of a column of yes and no; None of any other."""
    yes = [value for value in values if value.lower() in _YES]
    return yes[0] if len(values) == 2 and len(yes) == 1 and {value.lower() for value in values} & _FLAT_NO else None


def are_events(statuses: Iterable[str]) -> bool:
    """Whether statuses name what happened, `sale` beside `return`, so that a row with one of them is no whole order."""
    return any(_kind(value) == "buying" and _STATES.isdisjoint(fold_words(value)) for value in statuses)


def _kind(value: str) -> str:
    words = frozenset(fold_words(value))
    if not words or not words <= _KNOWN:
        return "other"
    if words & _GIVING_BACK and not words & (_LOOKING | _ADDING):
        return "giving back"
    if words & _LOOKING or {"add", "to", "cart"} <= words:
        return "looking"
    if words & _ADDING or {"begin", "started", "start"} & words:
        return "adding"
    return "buying" if words & _BUYING else "other"


def _question(column: str, cell: str, buying: Sequence[str], kinds: Mapping[str, str]) -> Question:
    back = [value for value, kind in kinds.items() if kind == "giving back"]
    seen = ", ".join(repr(value[:40]) for value in list(kinds)[:_SHOWN])
    others = [value for value, kind in kinds.items() if kind == "other"] or [value for value in kinds if value != cell]
    meaning = f"one of several kinds of events ({seen}), of which only the named ones are purchases"
    choices = {purchases_of(column, named, back): meaning for named in _buying(buying, others)}
    remedy = "" if choices else f"one of events ({seen}) of which none is a purchase: export purchases, too"
    return Question("event_log", column, cell, choices, remedy)


def _buying(buying: Sequence[str], others: Sequence[str]) -> list[Sequence[str]]:
    """The values that buy; where none is known to, each of the others alone."""
    return [buying] if buying else [[each] for each in others[:_SHOWN]]


def purchases_of(column: str, buying: Sequence[str], back: Sequence[str]) -> str:
    """The options by which rows with values that buy are purchases, and those with others are refunds."""
    where = purchases_where(column, [*buying, *back])
    return f"{where} --columns status={_quoted(column)}" if back else where


def purchases_where(column: str, values: Sequence[str]) -> str:
    """The option by which the rows with these values are purchases, as it is typed."""
    return f"--purchases-where {_quoted(f'{column}=' + '|'.join(values))}"


def _quoted(value: str) -> str:
    """The value of an option as it is typed in a shell."""
    return "'" + value.replace("'", "'\"'\"'") + "'"


def words_of_columns(table: pl.LazyFrame, columns: Sequence[str]) -> dict[str, list[str]]:
    """The different values in the head of a table's columns of text, of those columns that have few.

    A head in which everything is bought may come before rows that are not: such a column is looked at as a whole.
    """
    schema = table.collect_schema()
    texts = [name for name in columns if schema[name] in (pl.String, pl.Categorical, pl.Enum)]
    if not texts:
        return {}
    n_rows = max(_HEAD_CELLS // len(texts), _FEWEST_ROWS)
    head = table.select(pl.col(texts).cast(pl.String)).head(min(n_rows, SAMPLE_ROWS)).collect(engine="streaming")
    heads = {name: _values(head[name]) for name in texts if head[name].n_unique() <= MOST_VALUES}
    for name, values in heads.items():
        if values and len(head) == SAMPLE_ROWS and all(_kind(value) == "buying" for value in values):
            whole = table.select(pl.col(name).cast(pl.String).unique()).collect(engine="streaming")[name]
            heads[name] = _values(whole)
    return heads


def note_statuses(heads: Mapping[str, Sequence[str]]) -> list[Note]:
    """Columns that nobody named and whose words may say that rows went back, a note for each."""
    notes = []
    for column, values in heads.items():
        meanings = {value: status_meaning(value) for value in values}
        back = [value for value, meaning in meanings.items() if meaning == TAKEN_BACK]
        said = [value for value in values if value.lower() not in _NO]
        if said and status_meaning(column) == TAKEN_BACK and not back:
            value = shlex.quote(said[0]) if len(said) == 1 else "VALUE"
            text = f"column {column!r} is not used; where it says that a row went back, read it by "
            notes.append(Note("status_not_used", f"{text}--columns status={column!r} --returned {value}"))
        if back and "kept" in meanings.values():
            says = f"column {column!r} is not used; where {back[0][:40]!r} says that a row went back, read it by "
            notes.append(Note("status_not_used", f"{says}--columns status={column!r}"))
    return notes


def _values(cells: pl.Series) -> list[str]:
    return cells.str.strip_chars().drop_nulls().unique(maintain_order=True).head(MOST_VALUES + 1).to_list()


def is_purchase(rule: str | None, columns: Sequence[str], file: str) -> pl.Expr:
    """Whether a row is a purchase by `COLUMN=VALUE|VALUE`, named PURCHASE; without a rule, every row is.

    Case and blanks round a value do not count; an empty value, as in `event=buy|`, stands for empty cells.

    Raises:
        UsageError: it is no such rule.
        MissingColumnError: the file has no such column.
    """
    if rule is None:
        return pl.lit(value=True).alias(PURCHASE)
    # a name may hold equals signs
    named = max((name for name in columns if rule.strip().startswith(f"{name}=")), key=len, default=None)
    column, separator, values = (named, "=", rule.strip()[len(named) + 1 :]) if named else rule.partition("=")
    if not separator or not values.strip():
        raise UsageError(f"--purchases-where {rule!r} is not COLUMN=VALUE, such as event=transaction")
    if column.strip() not in columns:
        shown = ", ".join(repr(name[:60]) for name in columns[:30])
        raise MissingColumnError(
            f"{file} has no column {column.strip()!r} for --purchases-where; its columns are {shown}"
        )
    wanted = [value.strip().lower() for value in values.split("|")]
    cell = pl.col(column.strip()).cast(pl.String).str.strip_chars().str.to_lowercase()
    return cell.fill_null("").is_in(wanted).alias(PURCHASE)
