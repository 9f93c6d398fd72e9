-- Marks a customer as erased and deletes what is kept of them.
-- KEYS: erased customers (hash), each part of the customer
-- ARGV: digest of the customer, the moment

redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
redis.call('UNLINK', unpack(KEYS, 2))
