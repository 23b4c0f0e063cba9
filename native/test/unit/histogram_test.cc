#include "core/histogram.h"

#include <array>
#include <cmath>

#include "test/check.h"

using namespace forelock::core;

namespace {

constexpr std::uint64_t kFirst = 1ull << kHistogramFirstOctave;
constexpr std::uint64_t kEnd = 1ull << (kHistogramFirstOctave + kHistogramOctaves);

}  // namespace

TEST_CASE("the middle of a bucket is within a sixteenth of every value in it") {
  for (std::uint64_t value = kFirst; value < kEnd; value += 1 + value / 97) {
    const double middle = static_cast<double>(value_of(bucket_of(value), ~0ull));
    CHECK(std::fabs(middle - static_cast<double>(value)) <= static_cast<double>(value) / 16);
  }
}

TEST_CASE("buckets follow each other without a gap, from nothing to for ever") {
  CHECK_EQUAL(bucket_of(0), 0u);
  CHECK_EQUAL(bucket_of(kFirst - 1), 0u);
  CHECK_EQUAL(bucket_of(kFirst), 1u);
  std::uint32_t last = 1;
  for (std::uint64_t value = kFirst; value < kEnd; value += 1 + value / 64) {
    CHECK(bucket_of(value) == last || bucket_of(value) == last + 1);
    last = bucket_of(value);
  }
  CHECK_EQUAL(bucket_of(kEnd - 1), kHistogramBuckets - 2);
  CHECK_EQUAL(bucket_of(kEnd), kHistogramBuckets - 1);
  CHECK_EQUAL(bucket_of(~0ull), kHistogramBuckets - 1);
}

TEST_CASE("a quantile is the value that so many do not exceed") {
  std::array<std::uint64_t, kHistogramBuckets> counts{};
  CHECK_EQUAL(quantile(counts, 0.5, 0), 0u);
  for (std::uint64_t i = 1; i <= 1000; i++) counts[bucket_of(i * 1'000'000)]++;
  const auto near = [&](double share, double want) {
    return std::fabs(static_cast<double>(quantile(counts, share, 1'000'000'000)) - want) <= want / 16;
  };
  CHECK(near(0.5, 500e6));
  CHECK(near(0.9, 900e6));
  CHECK(near(0.99, 990e6));
  CHECK(near(1, 1'000e6));
}

TEST_CASE("the open bucket stands for the longest") {
  std::array<std::uint64_t, kHistogramBuckets> counts{};
  counts[bucket_of(kEnd * 3)] = 1;
  CHECK_EQUAL(quantile(counts, 0.5, kEnd * 3), kEnd * 3);
}

TEST_MAIN()
