// What stands where in the scratch of an environment, and what a call answers: the numbers of lib/native/binding.ts.
#pragma once

#include <cstdint>

#include "bind/environment.h"
#include "core/layout.h"

namespace forelock::bind {

// Places in the scratch of 32-bit words, then in that of times.
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
  kOutGen = 1,
  kOutBaseHigh = 2,
  kOutBaseLow = 3,
  kOutWaiter = 5,
  kOutSeqLow = 6,
  kOutGrant = 7,
  kOutCode = 10,
  kOutSettled = 11,
  kArena = 12,
  kSettled = 16,
  kKey = 16,
};
inline constexpr int kEntryWords = 4;  // of an enclosing grant, and of a settled wait
inline constexpr int kSettledEntries = 12;
static_assert(kSettled + kEntryWords * kSettledEntries <= kScratchSize);
static_assert(kEnclosing + kEntryWords * static_cast<int>(core::kEnclosingMax) <= kScratchSize);

enum Time : int {
  kTimeout = 0,
  kArrival = 1,
  // of buckets
  kTokens = 0,
  kRate = 0,
  kPer = 1,
  kBurst = 2,
  kKeys = 3,
  kOutWait = 0,
  kOutRemaining = 1,
  kOutReset = 2,
  kOutLimit = 3,
};

enum Code : std::int32_t {
  kOk = 0,
  kBusy = 1,
  kStale = 2,
  kWait = 3,
  kLost = 4,
  kOwn = 5,
  kNever = 6,
  kOther = 7,
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
  kNoKeys = -12,
};

}  // namespace forelock::bind
