// As in lib/native/binding.ts: where things stand in the scratch of 32-bit words and in that of times, what a call answers, and what
// a request asks for.
#pragma once

#include <bit>

#include "bind/environment.h"
#include "bind/wanted.h"
#include "core/member.h"

namespace forelock::bind {

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
  kWorkflow = 13,
  kTenant = 14,
  kClient = 15,
  kEnding = 9,
  kHold = 68,
  kLength = 13,
  kOutAttempt = 15,
  kSettled = 16,
  kKey = 16,
  // what is wanted or held together
  kLocks = 72,
  kPools = 73,
  kBuckets = 74,
  kRefused = 75,
  kAmountCount = 77,
  kAsked = 78,
  kParts = 80,
};
// A part: index, generation and tier of a lock; then, of what is held, the two words of its sequence, and of units who holds them.
inline constexpr int kPartWords = 4;
static_assert(kParts + kPartWords * static_cast<int>(kMostLocks + kMostPools + kMostBuckets) <= kScratchSize);
inline constexpr int kEntryWords = 4;  // of an enclosing grant, and of a settled wait
inline constexpr int kSettledEntries = 12;
static_assert(kSettled + kEntryWords * kSettledEntries <= kScratchSize);
static_assert(kEnclosing + kEntryWords * static_cast<int>(core::kEnclosingMax) <= kHold && kHold < kScratchSize);

enum Time : int {
  kTimeout = 0,
  kArrival = 1,
  kAmounts = 2,       // kDimensions of them; of a bucket the first; of a pace: rate, per, burst
  kOutReady = 8,      // ms from now
  kOutRemaining = 9,  // whole tokens
  kOutFull = 10,      // ms from now
  kTokens = 2,        // of keyed buckets
  kRate = 2,
  kPer = 3,
  kBurst = 4,
  kKeys = 5,
  kOutLimit = 11,  // tokens
  kTogether = 12,  // kMostBuckets of them: the tokens wanted of each bucket
};

enum Code : std::int32_t {
  kOk = 0,
  kBusy = 1,
  kStale = 2,
  kWait = 3,
  kLost = 4,
  kOwn = 5,
  kDiffers = 6,
  kNever = 7,
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
  kTooMuch = -12,
  kConfig = -13,
  kNoKeys = -14,
};

inline constexpr double kLongestMs = 9e12;                // 285 years: in nanoseconds it still fits 64 bits
inline constexpr std::uint32_t kLongestTtlMs = 1u << 30;  // 12 days: an element keeps it in 32 bits and compares by difference
inline constexpr std::uint32_t kTierMask = 3;
inline constexpr std::uint32_t kShared = 4;
inline constexpr std::uint32_t kSteal = 8;
inline constexpr std::uint32_t kCohort = 16;
inline constexpr std::uint32_t kOwnerDied = 8;
inline constexpr int kGrantSequenceShift = 8;
inline constexpr std::uint32_t kRevocable = 32;
inline constexpr std::uint32_t kNamed = 64;
inline constexpr std::uint32_t kAgain = 128;
inline constexpr std::uint32_t kNobody = 0xffffffff;  // in place of a waiter: the grant is exclusive; of a parent: none
static_assert(kNobody == core::kNoWaiter);
static_assert(kAmounts + core::kDimensions <= kOutReady && kOutFull < kTogether && kTogether + kMostBuckets <= kTimes);

}  // namespace forelock::bind
