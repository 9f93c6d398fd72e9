-- Keeps a customer's list made since the training, unless the customer was erased.
-- KEYS: erased customers (hash), the list (string)
-- ARGV: digest of the customer, the list, seconds that it is kept

if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3]) end
