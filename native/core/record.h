// Records in the arena's heap: what a bucket, a pool or a queue is beyond its element. A record is made in private and shown by
// one CAS on its element, so nobody ever meets a half-made one. The heap only grows: what has a record stays for the arena's
// life, and of two that race to make one the loser's is given back if it is still the last, else lost.
#pragma once

#include "core/lane.h"

namespace forelock::core {

// How the definition of a thing ended. kSame, kOther: it was there, and says the same, or something else.
enum class Defined { kMade, kSame, kOther, kNoHeap, kOutOfMemory, kBadArgument };

enum class Made { kOk, kNoHeap, kOutOfMemory };

// `bytes` zeroed bytes of the heap, on a line of their own. `offset` is where they are.
inline Made allocate_heap(Arena& arena, std::size_t bytes, std::uint64_t& offset) {
  const std::size_t size = (bytes + 63) / 64 * 64;
  auto& used = arena.header().heap_used;
  std::uint64_t seen = used.load(memory_order_relaxed);
  do {
    const std::uint64_t from = seen < kHeapStart ? kHeapStart : seen;
    if (size < bytes || from > arena.layout().heap_bytes || arena.layout().heap_bytes - from < size) return Made::kNoHeap;
    if (!arena.ensure(arena.layout().heap + from, size)) return Made::kOutOfMemory;
    offset = from;
  } while (!used.compare_exchange_strong(seen, offset + size, memory_order_acq_rel, memory_order_relaxed));
  return Made::kOk;
}

// Shows a record that is whole, or tells which one was there first: what the element has afterwards.
inline std::uint64_t show_record(Arena& arena, Element& element, std::uint64_t offset, std::size_t bytes) {
  std::uint64_t none = 0;
  // (p1) releases the record's fields to whoever finds it here.
  if (element.base.compare_exchange_strong(none, offset, memory_order_acq_rel, memory_order_acquire)) return offset;
  std::uint64_t end = offset + (bytes + 63) / 64 * 64;
  // Given back unused, and zeroed again: the next one counts on it.
  unsigned char* from = &arena.record<unsigned char>(offset);
  for (std::size_t i = 0; i < bytes; i++) from[i] = 0;
  arena.header().heap_used.compare_exchange_strong(end, offset, memory_order_acq_rel, memory_order_relaxed);
  return none;
}

}  // namespace forelock::core
