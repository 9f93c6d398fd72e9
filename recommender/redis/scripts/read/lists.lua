-- Reads lists of one version, their products, and persons' recent activity: never of two versions, since it runs in one
-- piece. The keys of lists follow from the version.
-- Begins with: read/person.
-- KEYS: the current version (string), states of the versions (hash), then each person's orders (list), session (list),
--   shown (list), hidden (set) and folded (string)
-- ARGV: key of a part up to the version, of the products after it, the wanted version or nothing, the version whose
--   products are cached or nothing, keys of `indices`, `together` and `similar` after the version, bytes of a record of
--   the latter two, then for each list its key after the version, its owner, bytes of a record
-- Answer: the version, the lists, indices of their products, the products, the persons; false where no version is
--   current

local version, cached = ARGV[3], ARGV[4]
if version == '' or redis.call('HGET', KEYS[2], version) ~= 'ready' then version = redis.call('GET', KEYS[1]) end
if not version then return false end
local head, unpack_record = ARGV[1] .. version, struct.unpack
local lists, seen, indices, products, people = {}, {}, {}, {}, {}
local function want(index)
  if not seen[index] then
    seen[index] = true
    indices[#indices + 1] = index
  end
end

local function want_all(wire, n_bytes)
  for at = 2, wire and version ~= cached and #wire - n_bytes + 1 or 0, n_bytes do
    want(unpack_record('<i4', wire, at))
  end
end

for i = 9, #ARGV, 3 do
  local wire = redis.call('HGET', head .. ARGV[i], ARGV[i + 1])
  lists[#lists + 1] = wire
  want_all(wire, tonumber(ARGV[i + 2]))
end

for first = 3, #KEYS, 5 do
  local person = read_person(first, head .. ARGV[5], head .. ARGV[6], head .. ARGV[7])
  people[#people + 1] = person
  if person and version ~= cached then
    for _, one in ipairs(person[8]) do want_all(one[3], tonumber(ARGV[8])) end
    want_all(string.match(person[5] or '', '\n(.*)'), tonumber(ARGV[8]))
    for _, found in ipairs(person[7]) do
      local index = tonumber(found or '')
      if index then want(index) end
    end
  end
end

for first = 1, #indices, 1000 do
  local last = math.min(first + 999, #indices)
  for _, product in ipairs(redis.call('HMGET', head .. ARGV[2], unpack(indices, first, last))) do
    products[#products + 1] = product
  end
end

return {version, lists, indices, products, people}
