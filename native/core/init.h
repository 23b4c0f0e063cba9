// Makes an arena in zeroed memory. Whoever maps it does this before anybody else can see it, so there is no state "being
// initialised" for others to meet. What is put where others find it also needs its signature (core/signature.h).
#pragma once

#include <bit>

#include "core/arena.h"

namespace forelock::core {

struct Origin {
  Capacity capacity;
  std::uint64_t seed[2];
  std::uint64_t identity[2];
  std::uint64_t boot_id[2];
  std::uint64_t time_namespace;
  Nanos now;              // arena clock
  std::uint64_t wall_ms;  // wall clock: the one use of it for tokens, so that they grow over unlink and reboot
  std::uint64_t ageing;
  double max_reserve = 0.25;
  std::uint32_t claim_within;
  bool is_virtual;
  bool is_private;
};

inline void initialise(void* base, const Origin& origin) {
  Header& header = *static_cast<Header*>(base);
  header.magic = kMagic;
  header.format = kFormat;
  header.header_bytes = sizeof(Header);
  header.size = Layout::of(origin.capacity).size;
  header.capacity = origin.capacity;
  for (int i = 0; i < 2; i++) {
    header.seed[i] = origin.seed[i];
    header.identity[i] = origin.identity[i];
    header.boot_id[i] = origin.boot_id[i];
  }
  header.time_namespace = origin.time_namespace;
  header.epoch = origin.now;
  header.is_virtual = origin.is_virtual ? 1 : 0;
  header.is_private = origin.is_private ? 1 : 0;
  header.claim_within.store(origin.claim_within, memory_order_relaxed);
  header.ageing.store(origin.ageing, memory_order_relaxed);
  header.max_reserve.store(std::bit_cast<std::uint64_t>(origin.max_reserve), memory_order_relaxed);
  header.virtual_now.store(origin.now, memory_order_relaxed);
  header.token_floor.store(origin.wall_ms << 20, memory_order_relaxed);
  header.wall_offset.store(origin.wall_ms * kNanosPerMilli - origin.now, memory_order_relaxed);
  header.wall_read.store(origin.now, memory_order_relaxed);
}

}  // namespace forelock::core
