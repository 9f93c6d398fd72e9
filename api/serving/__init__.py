"""The way of an answer: a checked request, its lists in one read, a slate, JSON.

What a worker keeps in memory on that way, and when it is dropped:

| memory | holds | bound | dropped |
|---|---|---|---|
| `CacheState.lists`, `.fallbacks` | published lists by `ListKey` | 3 MB; a handful | with the version, an erasure |
| `CacheState.catalogue` | all products of the version | 8 MB, else none | with the version |
| `CacheState.answers` | shared answers by language, query, path | 5 MB | with the state; when a date in them passes |
| `CacheState.repeats` | personal answers by the same | 5 MB | also each minute, and as the person's data do |
| `Catalogue._decoded` | decoded products by index | 16,384 | the oldest, and with the catalogue |
| `parsing._read_again` | checked queries by their text | 1,024 | least recently used, as all that follow |
| `events.recent._decoded` | decoded events by their bytes | 4,096 | the oldest |
| `due._curve_of` | curves of return by rhythm | 4,096 | |
| `days.date_of`, `days.to_iso` | dates by day, their text | 4,096 each | |
| `reasons._explain_other` | reasons of products not owned | 4,096 | |
| `language._count`, `._due_around` | sentences by language and number or date | 4,096 each | |
| `accept_language._find_kept`, `language.find_language` | languages by header, by tag | 512; 256 | |
| `recent_activity._known_until`, `answers._as_of` | moments of versions | 64 each | |
| `candidates.fallback_keys`, `.by_name` | keys of best sellers by categories, by list | 64 each | |
| `overrides._amend`, `._share` | overridden products, their texts | 4,096; 1,024 | |
| `overrides._to_new_product`, `.read_record` | new products, records | 1,024; 256 | |
| `metrics._labelled` | metrics with their labels | 4,096 | |
| `web_address._host_of` | hosts by the begin of addresses | 256 | |
| `callers._is_local`, `._names_this_machine`, `asgi._key` | addresses, hosts, header names | 256 each | |

The state is replaced when the version, a placement, an override or the number of erasures changes.
"""
