import { createHash, createHmac } from "node:crypto";

export function customerToken(secretKey, customerId) {
  const time = Buffer.alloc(4);
  time.writeUInt32BE(Math.floor(Date.now() / 1000));
  const parts = [Buffer.from(customerId), time].map((bytes) => bytes.toString("base64url"));
  const value = [secretKey.split("_")[1], ...parts].join(".");
  const digest = createHash("sha256").update(secretKey).digest("hex");
  const signingKey = createHmac("sha256", digest).update("reprise.customer-token").digest();
  return `${value}.${createHmac("sha256", signingKey).update(value).digest("base64url")}`;
}
