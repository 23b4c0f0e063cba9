// What stands where in the scratch, and what its numbers mean: for the files of native/bind only, and the same in
// lib/native/binding.ts. Also what every call does before it comes to its own business.
#pragma once

#include "bind/args.h"
#include "bind/binding.h"
#include "shm/process.h"

namespace forelock::bind {

// As in lib/native/binding.ts: places in the scratch of 32-bit words, then in that of times.
enum At : int {
  kIndex = 0,
  kGen = 1,
  kRequest = 2,
  kTier = 3,
  kTtl = 4,
  kWaiter = 5,
  kSeqLow = 6,
  kGrant = 7,
  kEnclosingCount = 8,
  kEnclosing = 16,
  kOutIndex = 0,
  kOutCapacity = 1,
  kOutMaxBytes = 2,
  kOutSizes = 0,
  kOutGen = 1,
  kOutBaseHigh = 2,
  kOutBaseLow = 3,
  kOutWaiter = 5,
  kOutSeqLow = 6,
  kOutGrant = 7,
  kOutCode = 10,
  kOutSettled = 11,
  kArena = 12,
  kLength = 13,
  kOutTier = 14,
  kOutAttempt = 15,
  kSettled = 16,
};
inline constexpr int kEntryWords = 4;  // of an enclosing grant, and of a settled wait
inline constexpr int kSettledEntries = 12;
static_assert(kSettled + kEntryWords * kSettledEntries <= kScratchSize);
static_assert(kEnclosing + kEntryWords * static_cast<int>(core::kEnclosingMax) <= kScratchSize);

enum Time : int {
  kTimeout = 0,
  kArrival = 1,
};

enum Code : std::int32_t {
  kOk = 0,
  kBusy = 1,
  kStale = 2,
  kWait = 3,
  kLost = 4,
  kOwn = 5,
  kClosed = -1,
  kCorrupt = -2,
  kNoElements = -3,
  kNoWaiters = -4,
  kNoNames = -5,
  kNameTooLong = -6,
  kOutOfMemory = -7,
  kRetired = -8,
  kForked = -9,
  kBadArgument = -10,
  kNoHeap = -11,
  kConfig = -12,
};

inline constexpr double kLongestMs = 9e12;                // 285 years: in nanoseconds it still fits 64 bits
inline constexpr std::uint32_t kLongestTtlMs = 1u << 30;  // 12 days: an element keeps it in 32 bits and compares by difference
inline constexpr std::uint32_t kTierMask = 3;
inline constexpr std::uint32_t kShared = 4;
inline constexpr std::uint32_t kSteal = 8;
inline constexpr std::uint32_t kCohort = 16;
inline constexpr std::uint32_t kOwnerDied = 8;
inline constexpr int kGrantSequenceShift = 8;
inline constexpr std::uint32_t kNobody = 0xffffffff;  // in place of a waiter: the grant is exclusive
static_assert(kNobody == core::kNoWaiter);

inline std::int32_t Binding::usable() {
  if (shm::in_forked_child()) return kForked;
  if (damaged_) return kCorrupt;
  if (const std::uint32_t retired = attachment_->retired(); retired != 0) return retired == shm::kDamaged ? kCorrupt : kRetired;
  return kOk;
}

template <Binding::Operation operation>
std::int32_t Binding::run() {
  if (!attachment_) return kClosed;
  if (const std::int32_t unusable = usable(); unusable != kOk) return unusable;
  try {
    return (this->*operation)();
  } catch (const std::exception&) {
    return damage();
  }
}

// The calls of every lock are told their arena through the scratch and answer through it: to ask for a function's data costs
// half as much as the call, to make a number of the result as well.
template <Binding::Operation operation>
napi_value Binding::hot_call(napi_env env, napi_callback_info) {
  const Environment* environment = Environment::known(env);
  if (environment == nullptr) return nullptr;  // as good as impossible: it was there when this function was made
  volatile std::uint32_t* scratch = environment->scratch();
  Binding* binding = environment->at(scratch[kArena]);
  scratch[kOutCode] = static_cast<std::uint32_t>(binding == nullptr ? kClosed : binding->run<operation>());
  return nullptr;
}

template <Binding::Operation operation>
napi_value Binding::call(napi_env env, napi_callback_info info) {
  Binding* binding = self(env, info);
  return binding == nullptr ? nullptr : integer(env, binding->run<operation>());
}

}  // namespace forelock::bind
