-- Functions about the memory of the server. Constant: used_percent, of maxmemory, that is open to whatever may wait.

-- Lets the rest of a script write where the memory is full. A server refuses the first write that takes memory, and
-- never stops a script that has written before: this writes, and takes none.
local function write_even_if_full(key) redis.call('PERSIST', key) end

-- Whether only the head-room is left: what is over `percent`, else used_percent. A server that does not say how full it
-- is counts as empty.
local function is_short_of_memory(percent)
  local memory = redis.pcall('INFO', 'memory')
  if type(memory) ~= 'string' then return false end
  local used, most = tonumber(string.match(memory, 'used_memory:(%d+)')), tonumber(string.match(memory, 'maxmemory:(%d+)'))
  return most > 0 and used * 100 > most * (percent or used_percent)
end
