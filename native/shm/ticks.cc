#include "shm/ticks.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace forelock::shm {

namespace {

constexpr core::Nanos kCalibration = 10 * core::kNanosPerMilli;
constexpr core::Nanos kSecond = 1'000 * core::kNanosPerMilli;
constexpr core::Nanos kWindow = core::kNanosPerMilli;
constexpr double kLeap = 1e-3;    // the kernel slews its clock by at most half of that
constexpr double kSlack = 1'000;  // ns, of the readings
constexpr double kOne = 1 << 28;  // of a rate
constexpr int kReadings = 8;      // the first are wide: nothing is in a cache

#if defined(__x86_64__)
bool kernel_trusts_counter() {
  char name[16] = {};
  std::FILE* file = std::fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re");
  if (file == nullptr) return false;
  const bool read = std::fgets(name, sizeof name, file) != nullptr;
  std::fclose(file);
  return read && std::strcmp(name, "tsc\n") == 0;
}

bool counter_is_invariant() {
  unsigned a, b, c, d;
  return __get_cpuid(0x80000007, &a, &b, &c, &d) != 0 && (d & (1u << 8)) != 0;
}
#endif

}  // namespace

bool Ticks::counter_is_usable() {
#if defined(__x86_64__)
  static const bool usable = counter_is_invariant() && kernel_trusts_counter();
  return usable;
#else
  return false;
#endif
}

// The later count: whoever counts on from here is behind the time rather than ahead.
Ticks::Pair Ticks::read() {
#if defined(__x86_64__)
  const std::uint64_t before = __rdtsc();
  const core::Nanos time = monotonic_now();
  const std::uint64_t after = __rdtsc();
  return {after, time, after - before};
#else
  return {0, monotonic_now(), 0};
#endif
}

void Ticks::use_counter(bool wanted) {
  if (!wanted || !counter_is_usable()) {
    mode_ = Mode::kSystem;
    return;
  }
  rated_ = read();
  for (int i = 1; i < kReadings; i++) {
    const Pair pair = read();
    if (pair.width <= rated_.width) rated_ = pair;
  }
  narrow_ = rated_.width;
  mode_ = Mode::kCalibrating;
}

void Ticks::anchor(const Pair& pair) {
  anchor_count_ = pair.count;
  anchor_ = pair.time;
}

core::Nanos Ticks::slowly() {
  if (mode_ == Mode::kSystem) {  // no use for the counter, which is read twice beside the clock
    const core::Nanos now = monotonic_now();
    return last_ = now > last_ ? now : last_;
  }
  const Pair pair = read();
  narrow_ = std::min(narrow_, pair.width);
  // An interrupted reading says when it is, but not at which count.
  if (pair.width <= 2 * narrow_) {
    const core::Nanos passed = pair.time - rated_.time;
    if (passed >= (mode_ == Mode::kCounter ? kSecond : kCalibration) || leapt(pair)) calibrate(pair);
    anchor(pair);
  }
  return last_ = pair.time > last_ ? pair.time : last_;
}

// The counter and the clock have gone different ways since the last rating.
bool Ticks::leapt(const Pair& pair) const {
  if (mode_ != Mode::kCounter) return false;
  const auto passed = static_cast<double>(pair.time - rated_.time);
  const auto counted = static_cast<double>(static_cast<std::int64_t>(pair.count - rated_.count)) * static_cast<double>(rate_) / kOne;
  return std::fabs(counted - passed) > kLeap * passed + kSlack;
}

void Ticks::calibrate(const Pair& pair) {
  const auto counts = static_cast<double>(static_cast<std::int64_t>(pair.count - rated_.count));
  const double rate = static_cast<double>(pair.time - rated_.time) / counts;
  const bool plausible = counts > 0 && rate > 1e-2 && rate < 1e2;  // 10 MHz to 100 GHz
  if (plausible && !leapt(pair)) {
    rate_ = static_cast<std::uint64_t>(rate * kOne);
    window_ = static_cast<std::uint64_t>(static_cast<double>(kWindow) / rate);
    mode_ = Mode::kCounter;
  } else {
    mode_ = Mode::kCalibrating;
  }
  rated_ = pair;
}

}  // namespace forelock::shm
