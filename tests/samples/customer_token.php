<?php
function customer_token(string $secret_key, string $customer_id): string
{
    $encode = fn (string $bytes) => rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    $key_id = explode('_', $secret_key)[1];
    $value = $key_id . '.' . $encode($customer_id) . '.' . $encode(pack('N', time()));
    $signing_key = hash_hmac('sha256', 'reprise.customer-token', hash('sha256', $secret_key), true);
    return $value . '.' . $encode(hash_hmac('sha256', $value, $signing_key, true));
}
