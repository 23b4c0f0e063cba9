// The only door to atomics in native/core: real ones in production, scheduled ones under the exhaustive scheduler
// (native/test/schedule). A test greps native/core for any use that goes around this file.
#pragma once

#include <atomic>
#include <cstdint>

#if defined(FORELOCK_SCHEDULED)
#include "scheduled_atomic.h"
#endif

namespace forelock::core {

using std::memory_order_acq_rel;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

#if defined(FORELOCK_SCHEDULED)
template <typename T>
using atomic = scheduled::atomic<T>;
template <typename T>
using plain = scheduled::plain<T>;
#else
template <typename T>
using atomic = std::atomic<T>;

// A field that another edge publishes (the CAS on a slot's state, the gate). It is relaxed-atomic in production, so a
// reader that walks a live arena (inspect, deadlock search) meets no undefined behaviour; the scheduler checks it for races.
template <typename T>
class plain {
 public:
  T get() const { return value_.load(std::memory_order_relaxed); }
  void set(T value) { value_.store(value, std::memory_order_relaxed); }
  // For readers that do not hold the gate and validate what they saw afterwards.
  T peek() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<T> value_;
};
#endif

// Brings a line of memory near that is to be written soon, so that the next locked instruction need not wait for it. Any address will do.
inline void prefetch(const void* address) { __builtin_prefetch(address, 1); }

static_assert(std::atomic<std::uint32_t>::is_always_lock_free && std::atomic<std::uint64_t>::is_always_lock_free,
              "the arena is shared between processes: a lock inside an atomic would be private to one of them");

}  // namespace forelock::core
