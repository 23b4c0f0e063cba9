// The atomics that native/core is compiled with under the exhaustive scheduler (native/core/atomic.h includes this file
// when FORELOCK_SCHEDULED is defined). They have exactly the size of the value; the value in place is the initial one
// while model threads run, all later ones are kept by the scheduler in a side table keyed by address.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace scheduled {

enum class Kind : std::uint8_t {
  kLoad,
  kStore,
  kExchange,
  kAdd,
  kSub,
  kOr,
  kAnd,
  kCompareExchange,
  kCompareExchangeWeak,
  kPlainGet,
  kPlainSet,
  kPlainPeek,
  kFutexWait,
  kFutexWake,
  kWoken,
  kIdle
};

struct Request {
  Kind kind;
  std::uint8_t width;  // bytes
  std::memory_order order;
  std::memory_order failure;
  void* address;
  std::uint64_t operand;
  std::uint64_t expected;
};

struct Reply {
  std::uint64_t value;  // what was read
  bool ok;              // of a compare-exchange: it stored; of a futex wait: it slept
  bool timed_out;       // of a futex wait
};

// The scheduler (scheduler.h, in one file of each executable). On the scheduler's own stack, that is in set-up and in
// the checks at the end, it acts on memory at once.
Reply perform(const Request& request);

template <typename T>
class atomic {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);

 public:
  atomic() = default;
  explicit constexpr atomic(T value) : value_(value) {}
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;

  T load(std::memory_order order = std::memory_order_seq_cst) const { return from(request(Kind::kLoad, order, T{}).value); }
  void store(T value, std::memory_order order = std::memory_order_seq_cst) { request(Kind::kStore, order, value); }
  T exchange(T value, std::memory_order order = std::memory_order_seq_cst) { return from(request(Kind::kExchange, order, value).value); }
  T fetch_add(T value, std::memory_order order = std::memory_order_seq_cst) { return from(request(Kind::kAdd, order, value).value); }
  T fetch_sub(T value, std::memory_order order = std::memory_order_seq_cst) { return from(request(Kind::kSub, order, value).value); }
  T fetch_or(T value, std::memory_order order = std::memory_order_seq_cst) { return from(request(Kind::kOr, order, value).value); }
  T fetch_and(T value, std::memory_order order = std::memory_order_seq_cst) { return from(request(Kind::kAnd, order, value).value); }

  bool compare_exchange_strong(T& expected, T desired, std::memory_order order, std::memory_order failure) {
    return exchange_if(Kind::kCompareExchange, expected, desired, order, failure);
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order order = std::memory_order_seq_cst) {
    return exchange_if(Kind::kCompareExchange, expected, desired, order, failing(order));
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order order, std::memory_order failure) {
    return exchange_if(Kind::kCompareExchangeWeak, expected, desired, order, failure);
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order order = std::memory_order_seq_cst) {
    return exchange_if(Kind::kCompareExchangeWeak, expected, desired, order, failing(order));
  }

 private:
  static std::uint64_t bits(T value) {
    std::uint64_t word = 0;
    std::memcpy(&word, &value, sizeof(T));
    return word;
  }
  static T from(std::uint64_t word) {
    T value;
    std::memcpy(&value, &word, sizeof(T));
    return value;
  }
  static constexpr std::memory_order failing(std::memory_order order) {
    if (order == std::memory_order_acq_rel) return std::memory_order_acquire;
    if (order == std::memory_order_release) return std::memory_order_relaxed;
    return order;
  }
  Reply request(Kind kind, std::memory_order order, T operand) const {
    return perform({kind, sizeof(T), order, order, const_cast<T*>(&value_), bits(operand), 0});
  }
  bool exchange_if(Kind kind, T& expected, T desired, std::memory_order order, std::memory_order failure) {
    const Reply reply = perform({kind, sizeof(T), order, failure, &value_, bits(desired), bits(expected)});
    if (!reply.ok) expected = from(reply.value);
    return reply.ok;
  }

  T value_;
};

// A field that another edge publishes. get and set are no scheduling points; two of them by different threads, one a
// set, that no edge orders are a race, and a race is a failure. peek is a relaxed load that is validated afterwards.
template <typename T>
class plain {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);

 public:
  plain() = default;
  explicit constexpr plain(T value) : value_(value) {}

  T get() const { return from(request(Kind::kPlainGet, 0).value); }
  void set(T value) { request(Kind::kPlainSet, bits(value)); }
  T peek() const { return from(request(Kind::kPlainPeek, 0).value); }

 private:
  static std::uint64_t bits(T value) {
    std::uint64_t word = 0;
    std::memcpy(&word, &value, sizeof(T));
    return word;
  }
  static T from(std::uint64_t word) {
    T value;
    std::memcpy(&value, &word, sizeof(T));
    return value;
  }
  Reply request(Kind kind, std::uint64_t operand) const {
    return perform({kind, sizeof(T), std::memory_order_relaxed, std::memory_order_relaxed, const_cast<T*>(&value_), operand, 0});
  }

  T value_;
};

static_assert(sizeof(atomic<std::uint32_t>) == 4 && sizeof(atomic<std::uint64_t>) == 8 && sizeof(plain<std::uint64_t>) == 8);

}  // namespace scheduled
