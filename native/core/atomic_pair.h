// Two neighbouring words that change together, by one compare-and-swap of 16 bytes: cmpxchg16b on x86-64 (-mcx16), CASP or
// LDXP/STXP on arm64. std::atomic of 16 bytes calls a library that may take a lock, which would be private to one process; the
// older builtin is compiled in place or not at all. Beside core/atomic.h, of which this is the other half: the exhaustive
// scheduler has no words of this width.
#pragma once

#include <cstdint>

#include "core/atomic.h"

#if !defined(FORELOCK_SCHEDULED) && !defined(__GCC_HAVE_SYNC_COMPARE_AND_SWAP_16) && !defined(__aarch64__)
#error "no compare-and-swap of 16 bytes: on x86-64 compile with -mcx16"
#endif

namespace forelock::core {

struct Pair {
  std::uint64_t low, high;
  bool operator==(const Pair&) const = default;
};

#if defined(FORELOCK_SCHEDULED)
using atomic_pair = scheduled::atomic_pair<Pair>;
#else
class atomic_pair {
 public:
  // The halves one by one. Only a CAS that succeeds says that they stood there together.
  std::uint64_t low() const { return __atomic_load_n(&low_, __ATOMIC_SEQ_CST); }
  std::uint64_t high() const { return __atomic_load_n(&high_, __ATOMIC_SEQ_CST); }

  // Sequentially consistent: what is read after it is read after it, on every architecture.
  bool compare_exchange(Pair expected, Pair desired) {
    return __sync_bool_compare_and_swap(reinterpret_cast<Word*>(this), word(expected), word(desired));
  }

 private:
  __extension__ typedef unsigned __int128 __attribute__((may_alias)) Word;
  static Word word(Pair pair) { return static_cast<Word>(pair.high) << 64 | pair.low; }

  alignas(16) std::uint64_t low_;
  std::uint64_t high_;
};
#endif
static_assert(sizeof(atomic_pair) == 16 && alignof(atomic_pair) == 16);

}  // namespace forelock::core
