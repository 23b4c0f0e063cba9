#include "shm/ticks.h"

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
constexpr double kLeap = 1e-3;  // the kernel slews its clock by at most half of that

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

Ticks::Pair Ticks::read() {
#if defined(__x86_64__)
  const std::uint64_t before = __rdtsc();
  const core::Nanos time = monotonic_now();
  return {before + (__rdtsc() - before) / 2, time};
#else
  return {0, monotonic_now()};
#endif
}

void Ticks::use_counter(bool wanted) {
  if (!wanted || !counter_is_usable()) {
    mode_ = Mode::kSystem;
    return;
  }
  anchor(read());
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
  const core::Nanos passed = pair.time - anchor_;
  if (passed >= kCalibration) {
    const auto counts = static_cast<double>(static_cast<std::int64_t>(pair.count - anchor_count_));
    const double rate = static_cast<double>(passed) / counts;
    const double known = static_cast<double>(rate_) / static_cast<double>(1 << kShift);
    const bool plausible = counts > 0 && rate > 1e-2 && rate < 1e2;  // 10 MHz to 100 GHz
    const bool leapt = mode_ == Mode::kCounter && std::fabs(rate / known - 1) > kLeap;
    if (plausible && !leapt) {
      rate_ = static_cast<std::uint64_t>(rate * static_cast<double>(1 << kShift));
      window_ = static_cast<std::uint64_t>(static_cast<double>(kSecond) / rate);
      mode_ = Mode::kCounter;
    } else {
      mode_ = Mode::kCalibrating;
    }
    anchor(pair);
  }
  return last_ = pair.time > last_ ? pair.time : last_;
}

}  // namespace forelock::shm
