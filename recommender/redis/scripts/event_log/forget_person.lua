-- Deletes what is kept of a customer, and marks the customer as erased: it frees memory before it takes any.
-- KEYS: erased customers (hash), each part of the customer
-- ARGV: digest of the customer, the moment

redis.call('UNLINK', unpack(KEYS, 2))
redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
