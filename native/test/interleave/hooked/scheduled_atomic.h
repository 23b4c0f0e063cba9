// The atomics that native/core is compiled with in this suite (native/core/atomic.h includes this file when
// FORELOCK_SCHEDULED is defined): real ones, with a hook that is called before every operation.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

namespace scheduled {

inline std::function<void()> hook;
inline bool inside = false;  // what a hook does itself calls no hook, unless it sets one (HookScope)

inline void before_operation() {
  if (!hook || inside) return;
  struct Leave {
    ~Leave() { inside = false; }
  } leave;
  inside = true;
  const auto called = hook;  // a copy: it may be replaced while it runs
  called();
}

class HookScope {
 public:
  explicit HookScope(std::function<void()> next) : hook_(std::exchange(hook, std::move(next))), inside_(std::exchange(inside, false)) {}
  HookScope(const HookScope&) = delete;
  HookScope& operator=(const HookScope&) = delete;
  ~HookScope() {
    hook = std::move(hook_);
    inside = inside_;
  }

 private:
  std::function<void()> hook_;
  bool inside_;
};

template <typename T>
class atomic {
 public:
  T load(std::memory_order order = std::memory_order_seq_cst) const {
    before_operation();
    return value_.load(order);
  }
  void store(T value, std::memory_order order = std::memory_order_seq_cst) {
    before_operation();
    value_.store(value, order);
  }
  T exchange(T value, std::memory_order order) {
    before_operation();
    return value_.exchange(value, order);
  }
  T fetch_add(T value, std::memory_order order) {
    before_operation();
    return value_.fetch_add(value, order);
  }
  T fetch_or(T value, std::memory_order order) {
    before_operation();
    return value_.fetch_or(value, order);
  }
  T fetch_and(T value, std::memory_order order) {
    before_operation();
    return value_.fetch_and(value, order);
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order success, std::memory_order failure) {
    before_operation();
    return value_.compare_exchange_strong(expected, desired, success, failure);
  }

 private:
  std::atomic<T> value_;
};

template <typename T>
class plain {
 public:
  T get() const {
    before_operation();
    return value_.load(std::memory_order_relaxed);
  }
  T peek() const { return get(); }
  void set(T value) {
    before_operation();
    value_.store(value, std::memory_order_relaxed);
  }

 private:
  std::atomic<T> value_;
};

// Of core/atomic_pair.h.
template <typename Pair>
class atomic_pair {
 public:
  std::uint64_t low() const {
    before_operation();
    return __atomic_load_n(&low_, __ATOMIC_SEQ_CST);
  }
  std::uint64_t high() const {
    before_operation();
    return __atomic_load_n(&high_, __ATOMIC_SEQ_CST);
  }
  bool compare_exchange(Pair expected, Pair desired) {
    before_operation();
    return __sync_bool_compare_and_swap(reinterpret_cast<Word*>(this), word(expected), word(desired));
  }

 private:
  __extension__ typedef unsigned __int128 __attribute__((may_alias)) Word;
  static Word word(Pair pair) { return static_cast<Word>(pair.high) << 64 | pair.low; }

  alignas(16) std::uint64_t low_;
  std::uint64_t high_;
};

}  // namespace scheduled
