/** Types of the widget: `/// <reference path="widget.d.ts" />`, or keep this file beside your own. */

export type EventType = "view" | "add_to_cart" | "remove_from_cart" | "not_interested";

/** Where a product was clicked: send it with the order. */
export interface Attribution {
  product_id: string;
  recommendation_id: string;
  placement?: string;
  rank?: number;
  kind?: string;
  reason?: string;
}

/** Of `reprise:impression`, `reprise:click` and `reprise:add-to-cart`; `item` is the product as the service sent it. */
export interface ProductDetail extends Attribution {
  item: Record<string, unknown>;
}

export interface Reprise {
  /** The release of the script. */
  readonly version: string;
  /** Say whether the visitor allows it, where the script has `data-consent="required"`. */
  consent(given: boolean): void;
  /** A new customer token, after `reprise:token-expired` or a login; "" after a logout. All rows ask again. */
  token(token: string): void;
  /** Tell what the visitor does with a product, with the recommendation that led to it. */
  tell(event_type: EventType, product_id: string): void;
  /** Where this product was clicked within seven days; without a product, all of them. */
  attribution(product_id: string): Attribution | undefined;
  attribution(): Attribution[];
  /** Have all rows ask again, as after a purchase. */
  refresh(): void;
}

/**
 * `<reprise-products>`. Attributes: `list` (similar, bought-together, buy-again, for-you, popular, cart), `product`,
 * `cart`, `limit`, `heading`, `placement`, `category`, `fallback`, `exclude`, `mix`, `due-within`, `product-url`,
 * `add-to-cart`, `impression-ms`.
 */
export class RepriseProducts extends HTMLElement {}

declare global {
  var reprise: Reprise | undefined;
  interface HTMLElementTagNameMap {
    "reprise-products": RepriseProducts;
  }
  interface HTMLElementEventMap {
    "reprise:load": CustomEvent<Record<string, unknown>>;
    "reprise:empty": CustomEvent<Record<string, unknown>>;
    "reprise:error": CustomEvent<{ status?: number; error?: unknown }>;
    "reprise:impression": CustomEvent<ProductDetail>;
    "reprise:click": CustomEvent<ProductDetail>;
    "reprise:add-to-cart": CustomEvent<ProductDetail>;
  }
  interface DocumentEventMap {
    "reprise:token-expired": CustomEvent<null>;
  }
}
